// A file goes to the server in pieces: what arrived is not sent again, and a line that breaks, a server that
// restarts or a session that ends in between cost one piece at most.
import { ask, patient, Problem, Unreachable, type ProblemDetails } from "@/api/client"
import type { Import } from "./kinds"

const PAUSE_MS = 1500

/** The pieces of a file that the server does not have yet. */
export function missingParts(size: number, part: number, here: number[]): number[] {
  const all = Math.max(1, Math.ceil(size / part))
  const known = new Set(here)
  return Array.from({ length: all }, (_, n) => n).filter((n) => !known.has(n))
}

/** Announce a file. */
export function announce(file: File): Promise<Import> {
  return ask<Import>("/v1/imports", {
    body: { name: file.name.slice(-120), size_bytes: file.size },
  })
}

/** Send what is missing of it; `heard` is told after each piece. Raises Problem. */
export async function send(
  file: File,
  made: Import,
  heard: (now: Import) => void,
  signal?: AbortSignal,
): Promise<Import> {
  let now = made
  for (const number of missingParts(file.size, made.part_bytes, made.parts)) {
    const start = number * made.part_bytes
    const piece = await file.slice(start, start + made.part_bytes).arrayBuffer()
    now = await sendPart(`/v1/imports/${made.id}/parts/${number}`, piece, signal)
    heard(now)
  }
  return now
}

async function sendPart(path: string, piece: ArrayBuffer, signal?: AbortSignal): Promise<Import> {
  for (;;) {
    try {
      const answer = await patient(
        new Request(new URL(path, location.origin), { method: "POST", body: piece, signal }),
      )
      if (answer.ok) return (await answer.json()) as Import
      if (answer.status !== 429 && answer.status < 502)
        throw new Problem((await answer.json()) as ProblemDetails)
    } catch (error) {
      // A piece that is sent twice is one: it may be sent until it arrives.
      if (!(error instanceof Unreachable) || signal?.aborted) throw error
    }
    await new Promise((wake) => setTimeout(wake, PAUSE_MS))
  }
}
