import { expect, test, vi } from "vitest"

vi.stubGlobal("navigator", { language: "zh-CN" })
vi.stubGlobal("location", { origin: "http://localhost" })
vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: () => undefined }))
const { households, newId, paperOf } = await import("./doors")
import type { DoorPerson } from "./doors"

const person = (room: string | null, standing: string) =>
  ({ person: `${room}-${standing}`, room, standing }) as unknown as DoorPerson

test("rooms stand as people count them, each with who is missing", () => {
  const people = [
    person("10", "missing"), person("9", "sampled"), person("9", "missing"), person("2", "sampled"),
  ] // prettier-ignore
  expect(
    households(people, false).map((one) => [one.room, one.people.length, one.missing]),
  ).toEqual([
    ["2", 1, 0],
    ["9", 2, 1],
    ["10", 1, 1],
  ])
  expect(households(people, true).map((one) => one.room)).toEqual(["9", "10"])
})

test("an id is a UUID of version 7, and no two are the same", () => {
  expect(newId()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(newId()).not.toBe(newId())
  expect(parseInt(newId().replace("-", "").slice(0, 12), 16) / 1000).toBeCloseTo(
    Date.now() / 1000,
    -1,
  )
})

test("the list on paper is asked for by round and place", () => {
  expect(paperOf("r", "B 1")).toBe("/v1/print/missing?round=r&area=B+1&language=zh")
})
