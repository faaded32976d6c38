// The tube in hand at this table: one that stands open and no other tab has, else a new one. What is done to it
// is saved before it is shown.
import { onUnmounted, ref } from "vue"

import type { Draft, Over } from "@/ledger/tubes"

import { attempt, theLedger } from "../ledger"
import { setup } from "./setup"

export function useHand() {
  const draft = ref<Draft | null>(null)
  let letGo = () => {}
  let last: Promise<unknown> = Promise.resolve()
  onUnmounted(() => letGo())

  /** One after the other: each sees what the one before has saved. */
  function alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = last.then(work)
    last = mine.catch(() => {})
    return mine
  }
  const begin = () => {
    const { size: capacity, household, round, site, lane } = setup
    const purpose = round ? ("round" as const) : ("ad_hoc" as const)
    return theLedger().tubes.begin({ capacity, household, purpose, round, site, lane })
  }
  async function takeUp(tube?: string) {
    letGo()
    const claimed = (await theLedger().tubes.claim(tube)) ?? (await theLedger().withRoom(begin))
    draft.value = claimed.draft
    letGo = claimed.letGo
  }
  async function save(work: (draft: Draft) => Promise<Draft>) {
    draft.value = await theLedger().withRoom(() => work(draft.value!))
  }

  return {
    draft,
    /** Take up this tube, or the last that somebody is in; else begin one. Whether there is one now. */
    take: (tube?: string) => attempt(() => alone(() => takeUp(tube))),
    /** Whether the change was saved; why not is shown. */
    change: (work: (draft: Draft) => Promise<Draft>) => attempt(() => alone(() => save(work))),
    /** Raises AlreadyIn, TubeFull, StorageFull. */
    put: (person: string, how: { swabbed: boolean; over?: Over }) =>
      alone(() => save((one) => theLedger().tubes.take(one, person, how))),
    /** Seal it and take up the next; what was sealed, or null. */
    seal: async () => {
      let sealed: Draft | null = null
      await attempt(() =>
        alone(async () => {
          const one = draft.value!
          await theLedger().seal(one)
          sealed = one
          await takeUp()
        }),
      )
      return sealed as Draft | null
    },
  }
}
