import { expect, test } from "vitest"

import { overlay, type Seen } from "@/ledger/overlay"
import type { Head, Person } from "@/ledger/slice"

import {
  againAt,
  askedHome,
  blocksOf,
  compareSpots,
  laterTimes,
  liesIn,
  spotOf,
  todo,
  when,
} from "./walk"

const NOW = Date.parse("2022-08-01T10:00:00+08:00")
const S = NOW / 1000
const person = (id: string, more: Partial<Person> = {}): Person => ({
  id,
  name: id,
  pinyin: "",
  initials: "",
  building: 1,
  room: "101",
  birthYear: null,
  sex: null,
  state: "resident",
  phoneTail: null,
  numberHash: null,
  swabbedAt: null,
  stance: null,
  recall: null,
  ...more,
})
const head = (more: object = {}): Head =>
  ({
    areas: [
      ["g", null, "G", "一网格", "grid"],
      ["b1", "g", "B1", "1号楼", "building", 6, false],
      ["b2", "g", "B2", "2号楼", "building", 20, true],
    ],
    recalls: [],
    ...more,
  }) as unknown as Head
let n = 0
const event = (
  type: string,
  subject: string,
  body: object = {},
  more: Partial<Seen> = {},
): Seen => ({
  id: `e${n}`,
  type,
  subject,
  at: NOW + n,
  seq: n++,
  body: body as Record<string, unknown>,
  ...more,
})
const homesOf = (people: Person[], events: Seen[] = [], more: object = {}) =>
  blocksOf(people, head(more), overlay(events)).flatMap((one) => one.homes)
const kind = (one: Person, events: Seen[], more: object = {}) =>
  homesOf([one], events, more)[0]?.people[0]?.standing.kind

test.each([
  ["101", "", 1, "101"],
  ["1203", "", 12, "1203"],
  ["0301", "", 3, "0301"],
  ["3-502", "3", 5, "502"],
  ["3单元502室", "3", 5, "502"],
  ["７－１６０２", "7", 16, "1602"],
  ["-101", "", -1, "101"],
  ["B1-02", "", -1, "02"],
  ["A座1502", "A", 15, "1502"],
  ["8", "", null, "8"],
  ["门卫", "", null, ""],
])("%s is read as on the door", (room, entrance, floor, door) => {
  expect(spotOf(room)).toEqual({ entrance, floor, door })
})

test("no room says nothing", () => {
  expect(spotOf(null)).toEqual({ entrance: "", floor: null, door: "" })
})

test("stairs are climbed once, a lift is left at the top", () => {
  const rooms = ["2-101", "1-201", "门卫", "1-102", "1-1002", "1-101"]
  const walked = (lift: boolean) =>
    [...rooms].sort((a, b) => compareSpots(spotOf(a), spotOf(b), lift))
  expect(walked(false)).toEqual(["门卫", "1-101", "1-102", "1-201", "1-1002", "2-101"])
  expect(walked(true)).toEqual(["门卫", "1-1002", "1-201", "1-101", "1-102", "2-101"])
})

test("buildings in the order of the walk, with who is missing and who is recalled", () => {
  const people = [
    person("z", { building: 2, room: "1901" }),
    person("a"),
    person("b", { swabbedAt: S }),
    person("c", { room: "201", recall: "r1", swabbedAt: S }),
    person("d", { room: "201", state: "moved_away" }),
  ]
  const blocks = blocksOf(people, head(), overlay([]))
  expect(blocks.map((one) => [one.area[2], one.expected, one.missing, one.recall])).toEqual([
    ["B1", 3, 1, 1],
    ["B2", 1, 1, 0],
  ])
  expect(blocks[0]!.homes.map((one) => one.room)).toEqual(["101", "201"])
})

test("who asked to be swabbed at home stands out until they were swabbed", () => {
  const people = [
    person("a", { askedHome: "bedridden" }),
    person("b"),
    person("c", { room: "102" }),
  ]
  const waits = (events: Seen[]) =>
    homesOf(people, events).map((home) => askedHome(home).map((one) => one.person.id))
  expect(waits([])).toEqual([["a"], []])
  const tube = event("TubeOpened", "T")
  const swab = event("SpecimenTaken", "T", { person: "a", position: 1 })
  expect(waits([tube, swab])).toEqual([[], []])
})

test("what was recorded here is seen at once, and taken back as well", () => {
  const refused = event("RefusalRecorded", "a", { round: "R", reason: "afraid" })
  const back = event("StanceWithdrawn", "a", {}, { cause: refused.id })
  expect(kind(person("a"), [refused])).toBe("refused")
  expect(kind(person("a"), [refused, back])).toBe("missing")
  // sent meanwhile: the slice says so, the withdrawal is still here
  expect(kind(person("a", { stance: "refused" }), [back])).toBe("missing")
  expect(kind(person("a"), [event("ExemptionGranted", "a", { reason: "illness" })])).toBe("exempt")
  const away = event("ResidentStateChanged", "a", { state: "away" })
  const home = event("ResidentStateChanged", "a", { state: "resident" })
  expect(kind(person("a"), [away])).toBe("away")
  expect(kind(person("a", { stance: "away", state: "away" }), [home])).toBe("missing")
  expect(
    homesOf([person("a")], [event("ResidentStateChanged", "a", { state: "moved_away" })]),
  ).toEqual([])
})

test("a recalled person is done when swabbed singly again, not by another tube", () => {
  const one = person("a", { recall: "r1", swabbedAt: S })
  const seal = (purpose: string) =>
    event("TubeSealed", `t${purpose}`, {
      barcode: "T",
      purpose,
      capacity: 1,
      members: [{ person: "a", position: 1 }],
    })
  expect(kind(one, [])).toBe("recall")
  expect(kind(one, [seal("round")])).toBe("recall")
  expect(kind(one, [seal("recall")])).toBe("done")
  expect(kind(one, [], { recalls: [{ id: "r1", stage: "swabbed" }] })).toBe("done")
})

test("when a door is to be knocked at", () => {
  const at = (visit: object | null, more: Partial<Person> = {}) =>
    when(homesOf([person("a", more)], visit ? [event("VisitMade", "a", visit)] : [])[0]!, NOW)
  const iso = (ms: number) => new Date(ms).toISOString()
  expect(at(null)).toBe("now")
  expect(at({ outcome: "not_home", again_at: iso(NOW + 1e6) })).toBe("later")
  expect(at({ outcome: "not_home", again_at: iso(NOW - 1e6) })).toBe("now")
  expect(at({ outcome: "not_home" })).toBe("later")
  expect(at({ outcome: "told" })).toBe("none")
  expect(at({ outcome: "told" }, { recall: "r1" })).toBe("now")
  expect(at(null, { swabbedAt: S })).toBe("none")
  expect(at(null, { visit: "not_home", visitedAt: S, againAt: S + 600 })).toBe("later")
  const visited = homesOf([person("a", { visit: "told", visitedAt: S })])[0]!
  expect(when(visited, NOW)).toBe("none")
})

test("a visit is taken back, of this phone or of the slice", () => {
  const made = event("VisitMade", "a", { outcome: "not_home" })
  const back = event("VisitWithdrawn", "a", {}, { cause: made.id })
  const one = person("a", { visit: "not_home", visitedAt: S })
  expect(homesOf([person("a")], [made, back])[0]!.people[0]!.standing.visit).toBeNull()
  expect(homesOf([one], [back])[0]!.people[0]!.standing.visit).toBeNull()
  const again = event("VisitMade", "a", { outcome: "told" })
  expect(homesOf([one], [back, again])[0]!.people[0]!.standing.visit?.outcome).toBe("told")
})

test("who was met at a door lives there at once, and once only", () => {
  const body = { source: "walk_in", state: "temporary", building: "b1", room: "101" }
  const listed = event("ResidentListed", "w", body, { name: "新来" })
  const other = event("ResidentListed", "x", { ...body, building: "elsewhere" })
  const [home] = homesOf([person("a")], [listed, other])
  expect(home!.people.map((one) => one.person.name)).toEqual(["a", "新来"])
  expect(homesOf([person("a"), person("w")], [listed])[0]!.people).toHaveLength(2)
})

test("who moved within the place is at the new door", () => {
  const to = event("ResidentMoved", "a", { building: "b2", room: "301" })
  expect(homesOf([person("a")], [to]).map((one) => [one.building, one.room])).toEqual([[2, "301"]])
})

test("people without a room are no household", () => {
  expect(homesOf([person("a", { room: null }), person("b", { room: null })])).toHaveLength(2)
})

test("the earliest time at which to come again; whom it is about", () => {
  const iso = (ms: number) => new Date(ms).toISOString()
  const visits = [9, 5].map((k, i) =>
    event("VisitMade", "ab"[i]!, { outcome: "not_home", again_at: iso(NOW + k * 1000) }),
  )
  const [home] = homesOf([person("a"), person("b"), person("c", { swabbedAt: S })], visits)
  expect(todo(home!).map((one) => one.person.id)).toEqual(["a", "b"])
  expect(againAt(home!)).toBe(NOW + 5_000)
})

test("times to try again lie ahead, in order", () => {
  for (const hour of [8, 12, 17, 18, 19, 23]) {
    const now = new Date(2022, 7, 1, hour, 32).valueOf()
    const times = laterTimes(now).map((one) => one.at)
    expect(times.every((at) => at > now)).toBe(true)
    expect([...times].sort((a, b) => a - b)).toEqual(times)
  }
})

test("a building lies in its grid and in nothing else", () => {
  const { areas } = head()
  expect(liesIn(areas, 1, "g")).toBe(true)
  expect(liesIn(areas, 1, "b1")).toBe(true)
  expect(liesIn(areas, 1, "b2")).toBe(false)
})
