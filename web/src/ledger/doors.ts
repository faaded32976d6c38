// What this phone recorded at doors and has not got back in its slice: visits, people met, recalled
// members reached, buildings called down. A pure function of events; the later word counts, as in the read
// tables (muster/visits/read.sql, muster/registry/read.sql).
import type { Person } from "./slice"
import type { Overlay, Seen } from "./overlay"

export type Outcome = "not_home" | "told" | "moved" | "other"
export type Found = "phone" | "door" | "found_elsewhere" | "not_found"
export interface Visit {
  outcome: Outcome
  at: number // ms
  againAt: number | null // ms
}
/** Somebody who was put on the list here. `building`: the area's id. */
export interface Listed {
  id: string
  name: string
  building: string | null
  room: string | null
  birthYear: number | null
  sex: string | null
  state: string
}
export interface Called {
  building: string
  round: string
  site: string | null
  at: number // ms
}
export interface Doors {
  visits: Map<string, Visit | null> // null: taken back here, whatever the slice says
  moved: Map<string, { building: string; room: string | null }>
  listed: Map<string, Listed>
  reached: Map<string, Found> // by recall
  withdrawn: Set<string> // whose stance was taken back here
  called: Called[] // the last first
}

/** Of events in the order in which they happened. */
export function doors(events: readonly Seen[]): Doors {
  const found: Doors = {
    visits: new Map(),
    moved: new Map(),
    listed: new Map(),
    reached: new Map(),
    withdrawn: new Set(),
    called: [],
  }
  const takenBack = new Set(
    events.filter((one) => one.type === "VisitWithdrawn").map((one) => one.cause),
  )
  for (const one of events) note(found, one, takenBack)
  return found
}

function note(found: Doors, one: Seen, takenBack: Set<string | undefined>): void {
  const { subject, body } = one
  const said = <T>(name: string) => (body[name] as T | undefined) ?? null
  if (one.type === "VisitMade" && !takenBack.has(one.id)) {
    const again = said<string>("again_at")
    const outcome = body.outcome as Outcome
    found.visits.set(subject, { outcome, at: one.at, againAt: again ? Date.parse(again) : null })
  } else if (one.type === "VisitWithdrawn") {
    if (!found.visits.has(subject)) found.visits.set(subject, null)
  } else if (one.type === "ResidentMoved")
    found.moved.set(subject, { building: String(body.building), room: said("room") })
  else if (one.type === "ResidentListed")
    found.listed.set(subject, {
      id: subject,
      name: one.name ?? "",
      building: said("building"),
      room: said("room"),
      birthYear: said("birth_year"),
      sex: said("sex"),
      state: said<string>("state") ?? "resident",
    })
  else if (one.type === "MemberReached") found.reached.set(String(body.recall), body.how as Found)
  else if (one.type === "StanceWithdrawn") found.withdrawn.add(subject)
  else if (one.type === "BuildingCalled")
    found.called.unshift({
      building: subject,
      round: String(body.round),
      site: said("to_site"),
      at: one.at,
    })
}

/** What speaks against a swab now: this phone's own word before the slice's, what cannot be before what is
 * not wanted, as in the list of who is missing. */
export function stanceOf(
  over: Overlay,
  person: Pick<Person, "id" | "state" | "stance">,
): "exempt" | "away" | "refused" | null {
  const own = over.stances.filter((one) => one.person === person.id).map((one) => one.kind)
  const changed = over.states.get(person.id)
  const state = changed ?? person.state
  const listed = over.doors.withdrawn.has(person.id) ? null : person.stance
  const said = (stance: "exempt" | "refused") => own.includes(stance) || listed === stance
  if (said("exempt") || state === "cannot_be_tested") return "exempt"
  if (state === "away" || (listed === "away" && changed === undefined)) return "away"
  return said("refused") ? "refused" : null
}

/** What is to be done about somebody: swabbed again singly, swabbed, nothing more. */
export type Kind = "recall" | "missing" | "done" | "refused" | "exempt" | "away" | "moved"
export interface Standing {
  kind: Kind
  swabbedAt: number | null // ms
  reason: string | null
  visit: Visit | null
}

/** How somebody stands, by the slice and by what was recorded here since. `answered`: recalls whose re-test
 * was taken, as the slice knows. */
export function standingOf(
  person: Person,
  over: Overlay,
  answered: ReadonlySet<string> = new Set(),
): Standing {
  const here = over.swabbed.get(person.id)
  const swabbedAt = here?.at ?? (person.swabbedAt ? person.swabbedAt * 1000 : null)
  const stance = over.stances.filter((one) => one.person === person.id).at(-1)
  return {
    kind: kindOf(person, over, answered, swabbedAt !== null),
    swabbedAt,
    reason: stance?.reason ?? null,
    visit: visitOf(person, over),
  }
}

function kindOf(
  person: Person,
  over: Overlay,
  answered: ReadonlySet<string>,
  swabbed: boolean,
): Kind {
  if ((over.states.get(person.id) ?? person.state) === "moved_away") return "moved"
  const tube = over.swabbed.get(person.id)?.tube
  const again = tube !== undefined && over.tubes.get(tube)?.purpose === "recall"
  if (person.recall && !again && !answered.has(person.recall)) return "recall"
  if (swabbed) return "done"
  return stanceOf(over, person) ?? "missing"
}

function visitOf(person: Person, over: Overlay): Visit | null {
  const here = over.doors.visits.get(person.id)
  if (here !== undefined) return here
  if (!person.visit || !person.visitedAt) return null
  const againAt = person.againAt ? person.againAt * 1000 : null
  return { outcome: person.visit as Outcome, at: person.visitedAt * 1000, againAt }
}
