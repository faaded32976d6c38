// What a phone shows: its own unsent work laid over the slice. A pure function of events, which counts the
// swabs of a tube as the read tables do (muster/sampling/read.sql): in by any seal, before a seal by single
// swabs, or by a move; out by a voiding or a move that nothing later of the tube takes back. Both sides are
// tested with tests/spec/overlay_cases.json.
import { doors, type Doors } from "./doors"
import type { Member, TubeFacts } from "./vocabulary"

export interface Seen {
  id: string
  type: string
  subject: string
  at: number // ms
  seq: number
  body: Record<string, unknown>
  cause?: string
  name?: string // of somebody who was registered here
}
export interface Tube extends Partial<TubeFacts> {
  tube: string
  at: number
  sealedAt: number | null
  seals: number
  members: Member[]
  seal?: string // the event's id, while it is among these
}
export interface Stance {
  person: string
  kind: "refused" | "exempt"
  event: string
  round: string | null
  reason?: string
}
export interface Box {
  box: string
  code: string
  kind: string
  tubes: { barcode: string; tube?: string }[]
  bags: string[]
  count?: number
  seal?: string
  site?: string
  bound_for?: string
  with: string | null // who has it: site:…, vehicle:… or lab:…
  at: number
}
export interface Overlay {
  tubes: Map<string, Tube>
  swabbed: Map<string, { at: number; tube: string; round: string | null }>
  stances: Stance[]
  states: Map<string, string> // of residents, as said last: away, resident, …
  boxes: Map<string, Box>
  doors: Doors
}

const TUBE = new Set(["TubeOpened", "TubeSealed"])

/** The overlay of some events, in any order. */
export function overlay(events: readonly Seen[]): Overlay {
  const ordered = [...events].sort((a, b) => a.at - b.at || a.seq - b.seq)
  const tubes = new Map<string, Tube>()
  for (const [subject, own] of grouped(ordered)) {
    const tube = tubeOf(subject, own)
    if (tube) tubes.set(subject, tube)
  }
  return {
    tubes,
    swabbed: swabbed(tubes),
    stances: stances(ordered),
    states: states(ordered),
    boxes: boxes(ordered),
    doors: doors(ordered),
  }
}

function grouped(events: readonly Seen[]): Map<string, Seen[]> {
  const found = new Map<string, Seen[]>()
  const put = (key: string, one: Seen) => {
    const there = found.get(key)
    if (there) there.push(one)
    else found.set(key, [one])
  }
  for (const one of events) {
    put(one.subject, one)
    if (one.type === "SpecimenMoved") put(String(one.body.to), one)
  }
  return found
}

function tubeOf(subject: string, own: readonly Seen[]): Tube | null {
  const heads = own.filter((one) => TUBE.has(one.type) && one.subject === subject)
  const seals = heads.filter((one) => one.type === "TubeSealed")
  if (!heads.length) return null // of a tube that was neither opened nor sealed here nothing is known
  const head = seals[0] ?? heads[0]
  const facts = (head?.body ?? {}) as Partial<TubeFacts>
  return {
    ...facts,
    tube: subject,
    at: head?.at ?? own[0]!.at,
    sealedAt: seals[0]?.at ?? null,
    seals: seals.length,
    seal: seals.at(-1)?.id,
    members: membersOf(subject, own, seals),
  }
}

function membersOf(subject: string, own: readonly Seen[], seals: readonly Seen[]): Member[] {
  const count = new Map<string, number>()
  const places = new Map<string, number>()
  const into = (person: string, position: number) => {
    count.set(person, (count.get(person) ?? 0) + 1)
    places.set(person, Math.min(places.get(person) ?? position, position))
  }
  const sealed = new Map<string, number>()
  for (const one of seals)
    for (const member of one.body.members as Member[])
      sealed.set(
        member.person,
        Math.min(sealed.get(member.person) ?? member.position, member.position),
      )
  for (const [person, position] of sealed) into(person, position)
  const taken = new Map<string, number>()
  for (const one of own) {
    const person = one.body.person as string
    if (one.type === "SpecimenTaken" && !seals.length) {
      const position = one.body.position as number
      taken.set(person, Math.min(taken.get(person) ?? position, position))
    } else if (one.type === "SpecimenMoved" && one.body.to === subject) {
      into(person, one.body.position as number)
    }
  }
  for (const [person, position] of taken) into(person, position)
  for (const one of own) {
    if (one.subject !== subject) continue
    const person = one.body.person as string
    const out =
      one.type === "SpecimenMoved" || (one.type === "SpecimenVoided" && !restored(one, own))
    if (out && !again(one, person, own)) count.set(person, (count.get(person) ?? 0) - 1)
  }
  return [...count]
    .filter(([, n]) => n > 0)
    .map(([person]) => ({ person, position: places.get(person)! }))
    .sort((a, b) => a.position - b.position || (a.person < b.person ? -1 : 1))
}

const restored = (voiding: Seen, own: readonly Seen[]): boolean =>
  own.some((one) => one.type === "SpecimenRestored" && one.cause === voiding.id)

/** Whether something later of the tube puts the person in again: a swab, or a seal that lists them. */
function again(out: Seen, person: string, own: readonly Seen[]): boolean {
  return own.some(
    (one) =>
      one.subject === out.subject &&
      one.at > out.at &&
      ((one.type === "SpecimenTaken" && one.body.person === person) ||
        (one.type === "TubeSealed" &&
          (one.body.members as Member[]).some((member) => member.person === person))),
  )
}

function swabbed(tubes: Map<string, Tube>): Overlay["swabbed"] {
  const found: Overlay["swabbed"] = new Map()
  for (const tube of tubes.values())
    for (const { person } of tube.members) {
      const before = found.get(person)
      const round = tube.round ?? before?.round ?? null // a re-test takes nobody out of the round
      if (!before || before.at < tube.at) found.set(person, { at: tube.at, tube: tube.tube, round })
      else before.round ??= round
    }
  return found
}

function stances(events: readonly Seen[]): Stance[] {
  const withdrawn = new Set(
    events.filter((one) => one.type === "StanceWithdrawn").map((one) => one.cause),
  )
  return events
    .filter((one) => one.type === "RefusalRecorded" || one.type === "ExemptionGranted")
    .filter((one) => !withdrawn.has(one.id))
    .map((one) => ({
      person: one.subject,
      kind: one.type === "RefusalRecorded" ? ("refused" as const) : ("exempt" as const),
      event: one.id,
      round: (one.body.round as string | undefined) ?? null,
      reason: one.body.reason as string | undefined,
    }))
}

function states(events: readonly Seen[]): Map<string, string> {
  const found = new Map<string, string>()
  for (const one of events)
    if (one.type === "ResidentStateChanged") found.set(one.subject, String(one.body.state))
  return found
}

/** Packed again, the later manifest counts; handed over, the taker of the last hand-over has it. */
function boxes(events: readonly Seen[]): Map<string, Box> {
  const found = new Map<string, Box>()
  const holders = new Map<string, string>()
  for (const one of events)
    if (one.type === "BoxPacked") {
      const body = one.body as unknown as Omit<Box, "box" | "at" | "with">
      found.set(one.subject, {
        ...body,
        kind: body.kind ?? "box",
        tubes: body.tubes ?? [],
        bags: body.bags ?? [],
        box: one.subject,
        with: null,
        at: one.at,
      })
    } else if (one.type === "BoxHandedOver") {
      const [party] = Object.entries(one.body.taker as Record<string, string>)
      if (party) holders.set(one.subject, party.join(":"))
    }
  for (const [box, party] of holders) if (found.has(box)) found.get(box)!.with = party
  return found
}
