// A tube for one door: the whole household at a tap, or one recalled person alone. The sampling table goes on.
import type { Recall } from "@/ledger/slice"

import { head, theLedger } from "../ledger"
import { setup } from "../sampling/setup"
import { roundNow } from "./acts"

/** A tube with somebody in it stands open: it is sealed first. */
export class TubeStandsOpen extends Error {
  constructor(readonly count: number) {
    super()
  }
}

/** A new tube with these people in it; its id. Empty ones that were begun are forgotten. Raises
 * TubeStandsOpen. */
export async function takeHousehold(people: readonly string[], recall?: Recall): Promise<string> {
  const ledger = theLedger()
  const open = await ledger.tubes.open()
  const filled = open.find((one) => one.swabs.length)
  if (filled) throw new TubeStandsOpen(filled.swabs.length)
  const tube = await ledger.withRoom(async () => {
    const begun = await ledger.tubes.begin({
      capacity: recall ? 1 : (head.value?.tube.size ?? setup.size),
      household: !recall,
      ...(recall
        ? { purpose: "recall" as const, retest_of: recall.tube }
        : { purpose: roundNow() ? ("round" as const) : ("ad_hoc" as const), round: roundNow() }),
      site: setup.site,
    })
    const how = { swabbed: !setup.registerFirst, over: "household" as const }
    let { draft } = begun
    for (const one of people) draft = await ledger.tubes.take(draft, one, how)
    begun.letGo() // the sampling page takes it up
    return draft.tube
  })
  for (const one of open) await ledger.tubes.forget(one)
  return tube
}
