// Forms that lose nothing: what is typed is kept in this tab until it was saved or thrown away. A reload,
// a restarted server, a session that ended in between bring it back; closing the tab ends it, since it may
// be about people.
import { onScopeDispose, reactive, ref, watch, type Ref } from "vue"

export interface Draft<T extends object> {
  values: T
  /** brought back from an earlier visit of the page */
  restored: Ref<boolean>
  /** what was typed is saved elsewhere, or not wanted any more */
  clear: () => void
}

export function useDraft<T extends object>(key: string, initial: () => T): Draft<T> {
  const name = `muster.draft.${key}`
  const restored = ref(false)
  const values = reactive(initial()) as T
  try {
    const kept = sessionStorage.getItem(name)
    if (kept) {
      Object.assign(values, JSON.parse(kept))
      restored.value = true
    }
  } catch {
    sessionStorage.removeItem(name) // torn: begin anew
  }
  let quiet = false
  const stop = watch(
    values,
    () => {
      if (quiet) return
      sessionStorage.setItem(name, JSON.stringify(values))
    },
    { deep: true, flush: "sync" },
  )
  onScopeDispose(stop)
  function clear() {
    quiet = true
    Object.assign(values, initial())
    quiet = false
    sessionStorage.removeItem(name)
    restored.value = false
  }
  return { values, restored, clear }
}
