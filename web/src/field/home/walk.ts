// The way from door to door: what a room number says of staircase and floor, in which order the doors are
// passed, and at which of them there is something to do. Pure.
import { standingOf, type Standing } from "@/ledger/doors"
import type { Overlay } from "@/ledger/overlay"
import type { AreaRow, Head, Person } from "@/ledger/slice"

export interface Spot {
  entrance: string // a staircase of its own: 3 of 3-502
  floor: number | null // null: the number does not say
  door: string
}
export interface Inhabitant {
  person: Person
  standing: Standing
}
/** A room of a building and who lives there; who has no room is at a door of their own each. */
export interface Home {
  building: number
  room: string | null
  spot: Spot
  people: Inhabitant[]
}
export interface Block {
  building: number
  area: AreaRow
  homes: Home[]
  expected: number
  missing: number
  recall: number
}
export type When = "now" | "later" | "none"

/** 3-502 → entrance 3, floor 5; 3单元502室, 1203, 0301, B1-02 and -101 as they are read on doors. */
export function spotOf(room: string | null): Spot {
  const said = (room ?? "").normalize("NFKC").trim().toUpperCase()
  const below = /(?:^|[^\dA-Z])(?:B|负|地下)(\d)/.exec(` ${said}`)
  const numbers = said.match(/\d+/g) ?? []
  const last = numbers.at(-1) ?? ""
  const entrance =
    below || numbers.length < 2 ? (/^([A-Z]+)座/.exec(said)?.[1] ?? "") : numbers.at(-2)!
  return { entrance, floor: floorOf(said, last, below?.[1]), door: last }
}

function floorOf(said: string, last: string, below: string | undefined): number | null {
  if (below) return -Number(below)
  const named = /(\d+)\s*(?:层|楼|F)/.exec(said)
  if (named) return Number(named[1])
  if (last.length < 3 || last.length > 5) return null
  const floor = Number(last.slice(0, -2))
  if (!floor) return null
  return said.startsWith("-") ? -floor : floor
}

const inNumbers = new Intl.Collator("zh-CN", { numeric: true })

/** By stairs from the bottom up; with a lift from the top down. Staircase by staircase, and what a number
 * does not say comes last. */
export function compareSpots(a: Spot, b: Spot, lift: boolean): number {
  const stairs = inNumbers.compare(a.entrance, b.entrance)
  if (stairs) return stairs
  if (a.floor !== b.floor) {
    if (a.floor === null || b.floor === null) return a.floor === null ? 1 : -1
    return lift ? b.floor - a.floor : a.floor - b.floor
  }
  return inNumbers.compare(a.door, b.door)
}

const ANSWERED = new Set(["swabbed", "answered", "closed", "withdrawn"])

/** Recalls of which the slice knows that the person was swabbed again. */
export const answeredOf = (head: Head): Set<string> =>
  new Set((head.recalls ?? []).filter((one) => ANSWERED.has(one.stage)).map((one) => one.id))

/** The buildings of a slice in the order of the walk, with who lives there: those met here included, those
 * who moved left out. */
export function blocksOf(people: Iterable<Person>, head: Head, over: Overlay): Block[] {
  const where = new Map(head.areas.map((area, n) => [area[0], n]))
  const answered = answeredOf(head)
  const rooms = new Map<number, Map<string, Home>>()
  const known = [...people] // a slice gives its people once
  for (const person of [...known, ...met(over, where, known)]) {
    const to = over.doors.moved.get(person.id)
    const building = to ? where.get(to.building) : person.building
    if (building === undefined || building === null) continue
    const standing = standingOf(person, over, answered)
    if (standing.kind === "moved") continue
    put(rooms, building, to ? to.room : person.room, { person, standing })
  }
  return [...rooms.entries()]
    .sort(([a], [b]) => a - b)
    .map(([building, homes]) => block(building, head.areas[building]!, [...homes.values()]))
}

function put(
  rooms: Map<number, Map<string, Home>>,
  building: number,
  room: string | null,
  one: Inhabitant,
): void {
  const homes = rooms.get(building) ?? new Map<string, Home>()
  rooms.set(building, homes)
  const key = room ?? `?${one.person.id}`
  const home = homes.get(key) ?? { building, room, spot: spotOf(room), people: [] }
  homes.set(key, home)
  home.people.push(one)
}

/** Who was listed here and is not in the slice yet. */
function met(over: Overlay, where: Map<string, number>, known: readonly Person[]): Person[] {
  if (!over.doors.listed.size) return []
  const ids = new Set(known.map((one) => one.id))
  return [...over.doors.listed.values()]
    .filter((one) => !ids.has(one.id) && one.building && where.has(one.building))
    .map((one) => ({
      ...one,
      pinyin: "",
      initials: "",
      building: where.get(one.building!)!,
      phoneTail: null,
      numberHash: null,
      swabbedAt: null,
      stance: null,
      recall: null,
    }))
}

function block(building: number, area: AreaRow, homes: Home[]): Block {
  const lift = area[6] === true
  homes.sort((a, b) => compareSpots(a.spot, b.spot, lift))
  for (const home of homes) home.people.sort(eldestFirst)
  const everybody = homes.flatMap((one) => one.people)
  const of = (kind: string) => everybody.filter((one) => one.standing.kind === kind).length
  const [missing, recall] = [of("missing"), of("recall")]
  return { building, area, homes, expected: everybody.length, missing, recall }
}

const eldestFirst = (a: Inhabitant, b: Inhabitant) =>
  (a.person.birthYear ?? 9_999) - (b.person.birthYear ?? 9_999)

/** Whom there is still something to do about. */
export const todo = (home: Home): Inhabitant[] =>
  home.people.filter(({ standing: { kind } }) => kind === "recall" || kind === "missing")

/** Who of them asked to be swabbed at home. */
export const askedHome = (home: Home): Inhabitant[] =>
  todo(home).filter(({ person }) => person.askedHome)

/** Whether a door is to be knocked at now, later, or not again: told and moved need no second visit, a
 * recalled person does until they are swabbed. */
export function when(home: Home, now: number): When {
  const each = todo(home).map(({ standing }) => whenFor(standing, now))
  if (each.includes("now")) return "now"
  return each.includes("later") ? "later" : "none"
}

function whenFor({ kind, visit }: Standing, now: number): When {
  if (!visit) return "now"
  if (visit.againAt !== null) return visit.againAt <= now ? "now" : "later"
  if (kind === "recall") return "now"
  return visit.outcome === "not_home" || visit.outcome === "other" ? "later" : "none"
}

/** When somebody said to come again, the earliest. */
export function againAt(home: Home): number | null {
  const times = todo(home).flatMap(({ standing }) => standing.visit?.againAt ?? [])
  return times.length ? Math.min(...times) : null
}

/** Times at which to try again: in an hour, this evening, tomorrow morning. */
export function laterTimes(now: number): { key: "hour" | "evening" | "morning"; at: number }[] {
  const at = (hours: number, days = 0) => {
    const day = new Date(now)
    day.setDate(day.getDate() + days)
    return day.setHours(hours, 0, 0, 0)
  }
  const minute = 60_000
  const hour = Math.ceil((now + 60 * minute) / (5 * minute)) * 5 * minute
  const evening = at(19)
  return [
    { key: "hour" as const, at: hour },
    ...(evening > hour ? [{ key: "evening" as const, at: evening }] : []),
    { key: "morning" as const, at: at(9, 1) },
  ]
}

/** Whether an area lies in another or is it: `parent` may be an id or a place in the list. */
export function liesIn(areas: readonly AreaRow[], inner: number, outer: string): boolean {
  const where = new Map(areas.map((area, n) => [area[0], n]))
  for (let n: number | undefined = inner, steps = 0; n !== undefined && steps < 20; steps++) {
    const area: AreaRow | undefined = areas[n]
    if (!area) return false
    if (area[0] === outer) return true
    const parent: string | number | null = area[1]
    n = typeof parent === "number" ? parent : parent === null ? undefined : where.get(parent)
  }
  return false
}
