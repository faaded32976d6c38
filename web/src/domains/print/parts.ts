// A paper of many people, made file after file: each part names where the next one begins. It can be
// stopped, and goes on where it ended; what is made is offered to be saved.
import { ref, shallowRef } from "vue"

import { address, patient, Problem, type ProblemDetails } from "@/api/client"

export interface Part {
  n: number
  name: string
  people: number
  url: string
}

export function useParts(path: string) {
  const parts = shallowRef<Part[]>([])
  const state = ref<"idle" | "working" | "stopped" | "done">("idle")
  const lost = ref("")
  let after = ""
  let asked: AbortController | undefined

  const people = () => parts.value.reduce((sum, one) => sum + one.people, 0)

  function forget() {
    asked?.abort()
    for (const one of parts.value) URL.revokeObjectURL(one.url)
    parts.value = []
    after = lost.value = ""
    state.value = "idle"
  }

  async function work(question: Record<string, unknown>, name: string) {
    const mine = (asked = new AbortController())
    state.value = "working"
    try {
      do {
        const url = new URL(address(path, { ...question, after }), location.origin)
        const answer = await patient(new Request(url, { signal: mine.signal }))
        if (!answer.ok) throw new Problem((await answer.json()) as ProblemDetails)
        const n = parts.value.length + 1
        const part = {
          n,
          name: `${name}-${String(n).padStart(3, "0")}.pdf`,
          people: Number(answer.headers.get("x-muster-people") ?? 0),
          url: URL.createObjectURL(await answer.blob()),
        }
        parts.value = [...parts.value, part]
        lost.value ||= answer.headers.get("x-muster-lost") ?? ""
        after = answer.headers.get("x-muster-next") ?? ""
        save(part)
      } while (after)
      state.value = "done"
    } catch (error) {
      state.value = "stopped"
      if (!mine.signal.aborted) throw error
    }
  }
  return { parts, state, lost, people, forget, work, stop: () => asked?.abort() }
}

/** Save a file as if its link had been followed. */
export function save(part: Part): void {
  const link = document.createElement("a")
  link.href = part.url
  link.download = part.name
  link.click()
}
