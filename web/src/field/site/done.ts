// What pages of a site share: which site, what was done in this shift.
import { computed, onMounted, ref, shallowRef, watch } from "vue"

import { head, status, theLedger } from "../ledger"
import { loadSetup, setup } from "../sampling/setup"
import { SHIFT_MS, type Done } from "./shift"

const PAUSE_MS = 300

export function useSite() {
  onMounted(loadSetup)
  return computed(() => head.value?.sites.find((one) => one.id === setup.site) ?? null)
}

/** The shift's records, read anew when something of them changes. */
export function useDone() {
  const done = shallowRef<Done[]>([])
  const since = ref(0)
  let waits: number | undefined
  async function look() {
    waits = undefined
    const begun = (await theLedger().notes.read<{ since: number }>("shift"))?.since ?? 0
    since.value = Math.max(begun, Date.now() - SHIFT_MS)
    done.value = await theLedger().outbox.since(since.value)
  }
  onMounted(look)
  watch(status, () => (waits ??= window.setTimeout(() => void look(), PAUSE_MS)))
  return { done, since, look }
}
