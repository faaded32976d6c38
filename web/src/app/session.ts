// Who is signed in, and what they may do. Signing in again over a page keeps the page as it is.
import { computed, ref, shallowRef } from "vue"

import { ask, csrf, onSignedOut, Problem } from "@/api/client"

export interface Who {
  account: string
  login: string
  name: string | null
  kind: string
  roles: {
    role: string
    everywhere: boolean
    area_code: string | null
    area_name: string | null
    site_code: string | null
    site_name: string | null
    lab: string | null
  }[]
  rights: string[]
  csrf: string
  limited: string | null
  second_factor: boolean
}

export const who = shallowRef<Who | null>(null)
export const asking = ref(false) // the sign-in dialog stands open
let waiting: ((signedIn: boolean) => void)[] = []

export const may = (right: string) => who.value?.rights.includes(right) ?? false
export const signedIn = computed(() => who.value !== null && !who.value.limited)

/** Take over what a sign-in step answered. */
export function taken(found: Who): void {
  csrf.value = found.csrf
  if (found.limited) {
    // Over an open page whoever it was opened by stays, and so does the page, until all is done.
    if (!signedIn.value) who.value = found
    asking.value = true
    return
  }
  who.value = found
  asking.value = false
  for (const one of waiting) one(true)
  waiting = []
}

onSignedOut(() => {
  asking.value = true
  return new Promise((done) => waiting.push(done))
})

/** Look who is signed in; with nobody, the dialog opens. */
export async function look(): Promise<void> {
  try {
    taken(await ask<Who>("/v1/session"))
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 401) throw error
    asking.value = true
  }
}

export async function signOut(): Promise<void> {
  await ask("/v1/session", { method: "DELETE" })
  who.value = null
  csrf.value = ""
  // A new page: nothing that was shown stays in this one's memory.
  sessionStorage.clear()
  location.assign("/console/")
}
