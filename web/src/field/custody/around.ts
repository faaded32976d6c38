// What pages of bags and boxes share: every box this phone knows, and how old they may become.
import { computed, onMounted, shallowRef } from "vue"

import { overlay } from "@/ledger/overlay"

import { attempt, head, theLedger, useLedger } from "../ledger"
import { useDone } from "../site/done"
import { asKnown, known, LIMIT_MINUTES, type Known } from "./boxes"

const MET_MOST = 200

/** Boxes known here. A laboratory's reception takes a box out of the slice: those packed here in this shift,
 * and those handed over or met by another phone's code, are known beyond it. */
export function useBoxes() {
  const met = shallowRef<Known[]>([])
  const shift = useDone()
  onMounted(async () => {
    met.value = (await theLedger().notes.read<Known[]>("met")) ?? []
  })
  const worked = computed(() => overlay(shift.done.value))
  const seen = useLedger((one) => ({
    slice: one.slice?.head?.boxes ?? [],
    own: [...one.over.boxes.values()],
    events: one.unseen,
  }))
  const boxes = computed(() => {
    const beyond = [...[...worked.value.boxes.values()].map(asKnown), ...met.value]
    return known(seen.value.slice, seen.value.own, seen.value.events, beyond)
  })
  /** Keep what another phone's code told, or with whom a box now is. */
  const meet = (box: Known) =>
    attempt(async () => {
      met.value = [...met.value.filter((one) => one.box !== box.box), box].slice(-MET_MOST)
      await theLedger().notes.keep("met", met.value)
    })
  return { boxes, meet, worked, shift }
}

export const useLimit = () =>
  computed(() => head.value?.policies?.tube_age_minutes ?? LIMIT_MINUTES)
