// Boxes and bags as this phone knows them: those of the slice, those packed here, those met by their codes; and
// with whom each is by the latest hand-over that is known here. Pure.
import type { Box, Seen } from "@/ledger/overlay"
import type { SliceBox } from "@/ledger/slice"

export interface Party {
  site?: string
  vehicle?: string
  lab?: string
}
export interface Known {
  box: string
  code: string
  kind: string
  tubes: string[]
  bags: string[]
  count: number | null // as counted by hand
  seal: string | null
  site: string | null
  bound_for: string | null
  packedAt: number // ms
  with: string | null // `site:…`, `vehicle:…`, `lab:…`; null: where it was packed
}

export function keyOf(party: Party): string {
  if (party.vehicle) return `vehicle:${party.vehicle}`
  return party.lab ? `lab:${party.lab}` : `site:${party.site}`
}

/** One that was packed on this phone. */
export const asKnown = (one: Box): Known => ({
  ...{ box: one.box, code: one.code, kind: one.kind, bags: one.bags },
  tubes: one.tubes.map((tube) => tube.barcode),
  ...{ count: one.count ?? null, seal: one.seal ?? null, site: one.site ?? null },
  ...{ bound_for: one.bound_for ?? null, packedAt: one.at, with: null },
})

/** What is known of boxes, the later word over the earlier; the latest packed first. */
export function known(
  slice: readonly SliceBox[],
  own: Iterable<Box>,
  events: readonly Seen[],
  met: readonly Known[] = [],
): Map<string, Known> {
  const all = new Map<string, Known>()
  for (const one of met) all.set(one.box, one)
  for (const one of slice)
    all.set(one.id, {
      ...{ box: one.id, code: one.code, kind: one.kind, tubes: one.tubes, bags: one.bags ?? [] },
      ...{ count: null, seal: null, site: one.site, bound_for: one.bound_for, with: one.with },
      packedAt: Date.parse(one.packed_at),
    })
  for (const one of own) all.set(one.box, asKnown(one))
  for (const one of [...events].sort((a, b) => a.at - b.at || a.seq - b.seq))
    if (one.type === "BoxHandedOver") {
      const box = all.get(one.subject)
      if (box && box.packedAt <= one.at)
        all.set(box.box, { ...box, with: keyOf(one.body.taker as Party) })
    }
  return new Map([...all].sort(([, a], [, b]) => b.packedAt - a.packedAt))
}

/** The box or bag of a code: the code comes again with every tour, so the one packed last. */
export function byCode(code: string, all: Iterable<Known>): Known | null {
  for (const one of all) if (one.code === code) return one
  return null
}

/** Every tube of a box, in its bags, too. */
export function tubesOf(box: Known, all: Map<string, Known>): string[] {
  const inBags = box.bags.flatMap((id) => all.get(id)?.tubes ?? [])
  return [...new Set([...box.tubes, ...inBags])]
}

/** What somebody holds, but for bags that lie in one of its boxes; the oldest first. */
export function carried(all: Map<string, Known>, holder: string): Known[] {
  const mine = [...all.values()].filter((one) => one.with === holder)
  const inside = new Set(mine.flatMap((one) => one.bags))
  return mine.filter((one) => !inside.has(one.box)).sort((a, b) => a.packedAt - b.packedAt)
}

export const LIMIT_MINUTES = 240 // from seal to laboratory, where no policy says otherwise
export const WARNING_BEFORE_MINUTES = 30

export interface Age {
  minutes: number
  left: number
  state: "fine" | "soon" | "over"
}

/** How old a box is, and how long until its tubes are too old. */
export function ageOf(packedAt: number, now: number, limit = LIMIT_MINUTES): Age {
  const minutes = Math.max(0, Math.floor((now - packedAt) / 60_000))
  const left = limit - minutes
  const state = left <= 0 ? "over" : left <= WARNING_BEFORE_MINUTES ? "soon" : "fine"
  return { minutes, left, state }
}

/** `3:05`: hours and minutes. */
export const asHours = (minutes: number): string =>
  `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`

/** Tenths of a degree from what somebody typed, with one decimal at most; null: it is none. */
export function decidegrees(said: string): number | null {
  const plain = said.normalize("NFKC").trim().replace(/[，,]/, ".").replace(/[−–]/, "-")
  const match = /^(-?)(\d{1,2})(?:\.(\d))?(?:\s*°?c?)$/i.exec(plain.replace("℃", ""))
  if (!match) return null
  const tenths = Number(match[2]) * 10 + Number(match[3] ?? 0)
  return match[1] ? -tenths : tenths
}

export const degrees = (tenths: number): string => (tenths / 10).toFixed(1)

const TICKET = "MB:"

/** What a phone shows of a box that it packed, so that another one knows it without a network. */
export function boxTicket(box: Known, all: Map<string, Known>): string {
  const facts = [box.kind, box.packedAt, box.seal ?? "", box.bound_for ?? "", box.site ?? ""]
  const head = [box.box, box.code, ...facts, tubesOf(box, all).length].map((one) =>
    encodeURIComponent(String(one)),
  )
  return `${TICKET}${head.join(":")}`
}

export function readTicket(said: string): Known | null {
  if (!said.startsWith(TICKET)) return null
  const parts = said.slice(TICKET.length).split(":")
  if (parts.length !== 8) return null
  let read: string[]
  try {
    read = parts.map((one) => decodeURIComponent(one))
  } catch {
    return null
  }
  const [box, code, kind, packedAt, seal, bound_for, site, count] = read as [
    ...[string, string, string, string, string, string, string, string],
  ]
  if (!/^[0-9a-f-]{36}$/.test(box) || !code || !Number(packedAt)) return null
  return {
    ...{ box, code, kind, tubes: [], bags: [], count: Number(count), seal: seal || null },
    ...{ site: site || null, bound_for: bound_for || null, packedAt: Number(packedAt), with: null },
  }
}
