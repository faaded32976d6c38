// Short words on what happened, in a corner of the page; read out by screen readers; with an undo where
// the deed can be taken back.
import { reactive } from "vue"

import { Problem, Unreachable } from "@/api/client"
import { say } from "@/i18n"

export interface Notice {
  id: number
  kind: "done" | "warning" | "error"
  text: string
  undo?: () => Promise<unknown>
}

const SECONDS = { done: 8, warning: 15, error: 30 }
export const notices = reactive<Notice[]>([])
let last = 0

export function tell(text: string, kind: Notice["kind"] = "done", undo?: Notice["undo"]): void {
  const one = { id: ++last, kind, text, undo }
  notices.push(one)
  if (notices.length > 4) notices.shift()
  setTimeout(() => forget(one.id), SECONDS[kind] * 1000)
}

export function forget(id: number): void {
  const at = notices.findIndex((one) => one.id === id)
  if (at >= 0) notices.splice(at, 1)
}

/** Words for people on what went wrong. */
export function wordsOf(error: unknown): string {
  if (error instanceof Unreachable) return say("app.unreachable_sent")
  if (error instanceof Problem) return error.message
  console.error(error)
  return say("app.failed")
}

/** Do something; a failure is told, nothing else happens. Whether it was done. */
export async function attempt(work: () => Promise<unknown>, done?: string): Promise<boolean> {
  try {
    await work()
  } catch (error) {
    tell(wordsOf(error), "error")
    return false
  }
  if (done) tell(done)
  return true
}
