// When buildings were called down: by the slice, and by this phone since.
import type { Ledger } from "@/ledger/ledger"

export interface Calling {
  building: string
  site: string | null
  at: number // ms
}

/** Of one building or of all, the last first; what the slice shows already is not told twice. */
export function callsOf(ledger: Ledger, building?: string): Calling[] {
  const listed = (ledger.slice?.head?.calls ?? []).map((one) => ({
    building: one.building,
    site: one.to_site,
    at: Date.parse(one.called_at),
  }))
  const same = (a: Calling, b: Calling) =>
    a.building === b.building && Math.abs(a.at - b.at) < 1_000 && a.site === b.site
  const own = ledger.over.doors.called.filter((one) => !listed.some((other) => same(one, other)))
  return [...own, ...listed]
    .filter((one) => building === undefined || one.building === building)
    .sort((a, b) => b.at - a.at)
}
