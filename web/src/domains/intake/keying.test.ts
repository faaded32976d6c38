import { expect, test } from "vitest"

import { blank, items, mint, moment, undoing, type Checked } from "./keying"

const told = (more: Partial<Checked>): Checked => ({
  faults: {},
  doubts: {},
  name: "李雷",
  kind: null,
  number: null,
  phone: null,
  birth_date: null,
  birth_year: null,
  sex: null,
  building: null,
  building_name: null,
  room: null,
  barcode: null,
  position: null,
  ...more,
})
const head = { actor: "w1", round: "r", site: "s", capacity: 10, day: "2022-08-01" }

test("ids are UUIDv7 and follow time", () => {
  const [one, two] = [mint(1_000_000), mint(2_000_000)]
  expect(one).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(one < two).toBe(true)
})

test("a time is read with or without a colon and is never in the future", () => {
  expect(new Date(moment("2022-08-01", "0830")).getTime()).toBe(
    new Date("2022-08-01T08:30:00").getTime(),
  )
  expect(moment("2022-08-01", "8:30")).toBe(moment("2022-08-01", "08:30"))
  expect(new Date(moment("2199-01-01", "08:30")).getTime()).toBeLessThanOrEqual(Date.now())
})

test("lines become people and tubes; sent again they are the same events", () => {
  const lines = [blank(), blank(), blank()]
  const checked = [
    told({ barcode: "B1", position: 2 }),
    told({ barcode: "B1", position: 1, phone: "1" }),
    told({}),
  ]
  const ids = {}
  const made = items(lines, checked, head, ids)
  expect(made.map((one) => one.event.type)).toEqual([
    "ResidentListed",
    "ResidentListed",
    "ResidentListed",
    "TubeSealed",
  ])
  const tube = made[3]!.event.body as { members: { person: string; position: number }[] }
  expect(tube.members).toEqual([
    { person: lines[1]!.person, position: 1 },
    { person: lines[0]!.person, position: 2 },
  ])
  expect(made[1]!.identity).toEqual({ name: "李雷", phone: "1" })
  const again = items(lines, checked, head, ids)
  expect(again.map((one) => one.event.id)).toEqual(made.map((one) => one.event.id))
})

test("an undo takes every swab out of its tube", () => {
  const made = undoing({ people: 2, tubes: [{ tube: "T", people: ["a", "b"] }] }, "w1", "now")
  expect(made.map((one) => [one.event.subject, one.event.type])).toEqual([
    ["T", "SpecimenVoided"],
    ["T", "SpecimenVoided"],
  ])
})
