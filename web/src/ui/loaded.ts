// One record of the server, as a page shows it: asked for when the page opens and when its address changes.
import { onScopeDispose, ref, shallowRef, watch, type Ref, type ShallowRef } from "vue"

import { ask } from "@/api/client"
import { wordsOf } from "@/app/notices"

export interface Loaded<T> {
  value: ShallowRef<T | undefined>
  failure: Ref<string>
  busy: Ref<boolean>
  reload: () => Promise<void>
}

/** The answer of a path; an empty path asks nothing. With `every` (milliseconds) it is asked again and again
 * while the page is in sight; what cannot be asked anew stays as it was, beside the failure. */
export function useLoaded<T>(path: () => string, every?: number): Loaded<T> {
  const value = shallowRef<T>()
  const failure = ref("")
  const busy = ref(false)
  let turn = 0

  async function reload() {
    const mine = ++turn
    const asked = path()
    if (!asked) {
      value.value = undefined
      failure.value = ""
      return
    }
    busy.value = true
    try {
      const found = await ask<T>(asked)
      if (mine !== turn) return
      value.value = found
      failure.value = ""
    } catch (error) {
      if (mine !== turn) return
      failure.value = wordsOf(error)
    } finally {
      if (mine === turn) busy.value = false
    }
  }
  watch(
    path,
    () => {
      value.value = undefined
      void reload()
    },
    { immediate: true },
  )
  if (every) {
    const timer = setInterval(() => document.hidden || void reload(), every)
    onScopeDispose(() => clearInterval(timer))
  }
  return { value, failure, busy, reload }
}
