// How long people wait: a ticket or personal code is scanned when they come and again at the swab. Pure.
export interface Waits {
  came: [key: string, at: number][]
  took: number[] // minutes, the latest last
  told: number // when a count was recorded last, ms
}
export const LAST = 10
export const TELL_MS = 5 * 60_000
const FORGET_MS = 8 * 3_600_000 // who came so long ago has gone home
const COME_MOST = 20_000

export const none = (): Waits => ({ came: [], took: [], told: 0 })

/** Somebody came; again: they are in the queue already. */
export function arrived(
  waits: Waits,
  key: string,
  now: number,
): { waits: Waits; said: "came" | "again" } {
  const came = waits.came.filter(([, at]) => now - at < FORGET_MS)
  if (came.some(([one]) => one === key)) return { waits: { ...waits, came }, said: "again" }
  return {
    waits: { ...waits, came: [...came, [key, now] as [string, number]].slice(-COME_MOST) },
    said: "came",
  }
}

/** Somebody is swabbed; `minutes` null: nobody scanned them when they came. */
export function swabbed(
  waits: Waits,
  key: string,
  now: number,
): { waits: Waits; minutes: number | null } {
  const there = waits.came.find(([one]) => one === key)
  if (!there) return { waits, minutes: null }
  const minutes = Math.max(0, Math.round((now - there[1]) / 60_000))
  return {
    waits: {
      ...waits,
      came: waits.came.filter((one) => one !== there),
      took: [...waits.took, minutes].slice(-LAST),
    },
    minutes,
  }
}

/** Those whose swab was recorded at this phone's sampling table: `swabAt` gives the moment, or null. */
export function settled(waits: Waits, swabAt: (key: string) => number | null): Waits {
  let found = waits
  for (const [key, at] of waits.came) {
    const when = swabAt(key)
    if (when !== null && when >= at) found = swabbed(found, key, when).waits
  }
  return found
}

/** Of the last ten, in whole minutes; null where nobody was timed. */
export function median(took: readonly number[]): number | null {
  if (!took.length) return null
  const sorted = [...took].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 ? sorted[half]! : Math.round((sorted[half - 1]! + sorted[half]!) / 2)
}
