// One record of the server, as a page shows it: asked for when the page opens and when its address changes.
import { ref, shallowRef, watch, type Ref, type ShallowRef } from "vue"

import { ask } from "@/api/client"
import { wordsOf } from "@/app/notices"

export interface Loaded<T> {
  value: ShallowRef<T | undefined>
  failure: Ref<string>
  busy: Ref<boolean>
  reload: () => Promise<void>
}

/** The answer of a path; an empty path asks nothing. */
export function useLoaded<T>(path: () => string): Loaded<T> {
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
      value.value = undefined
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
  return { value, failure, busy, reload }
}
