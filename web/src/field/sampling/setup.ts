// How tubes are filled here now: chosen once, kept on the phone, changed in mid-round with two taps.
import { reactive, watch } from "vue"

import { head, theLedger } from "../ledger"

export interface Setup {
  size: number
  household: boolean
  registerFirst: boolean // register all of a tube, then swab them; else one by one
  round: string | null
  site: string | null
  lane: number | null
  chosen: boolean // by hand: the policy's size no longer counts
}
export const SIZES = [1, 5, 10, 20]
export const EARLY_MINUTES = 30 // a tube that stands open so long is offered to be closed

export const setup = reactive<Setup>({
  size: 10,
  household: false,
  registerFirst: false,
  round: null,
  site: null,
  lane: null,
  chosen: false,
})

/** What was chosen before; the rest from the slice. */
export async function loadSetup(): Promise<void> {
  Object.assign(setup, await theLedger().store.fact<Partial<Setup>>("setup"))
  const here = head.value
  if (!here) return
  if (!setup.chosen) Object.assign(setup, here.tube)
  const rounds = here.rounds.map((one) => one.id)
  if (!rounds.includes(setup.round ?? "")) setup.round = rounds[0] ?? null
  const sites = here.sites.map((one) => one.id)
  if (here.place.kind === "site") setup.site = here.place.id
  else if (!sites.includes(setup.site ?? "")) setup.site = null
}

watch(setup, () => void theLedger().store.keep("setup", { ...setup }))
