// The cases that the server's read tables are tested with, too (tests/spec/test_overlay_cases.py).
import { describe, expect, test } from "vitest"

import file from "../../../tests/spec/overlay_cases.json"
import { stanceOf } from "./doors"
import { overlay, type Seen } from "./overlay"

interface Told {
  id: string
  type: string
  subject: string
  device_at: string
  device_seq: number
  body: Record<string, unknown>
  cause?: string
}
const seen = (one: Told): Seen => ({
  id: one.id,
  type: one.type,
  subject: one.subject,
  at: Date.parse(one.device_at),
  seq: one.device_seq,
  body: one.body,
  cause: one.cause,
})

describe.each(file.cases)("$name", (one) => {
  const told = one.events as unknown as Told[]
  test.each([
    ["as it came", told],
    ["backwards", [...told].reverse()],
  ])("%s", (_, events) => {
    const over = overlay(events.map(seen))
    const tubes = Object.fromEntries(
      [...over.tubes].map(([id, tube]) => [
        id,
        {
          barcode: tube.barcode,
          state: tube.sealedAt ? "sealed" : "open",
          capacity: tube.capacity,
          members: tube.members
            .map(({ person, position }) => [person, position])
            .sort(([a], [b]) => (a! < b! ? -1 : 1)),
        },
      ]),
    )
    const expected = Object.entries(one.expect.tubes).map(([id, { flags: _, ...tube }]) => [
      id,
      tube,
    ])
    expect(tubes).toEqual(Object.fromEntries(expected))
    const listed = one.slice.people.filter((who) => who.swabbed_at).map((who) => who.id)
    const here = [...over.swabbed].filter(([, at]) => at.round).map(([person]) => person)
    expect([...new Set([...listed, ...here])].sort()).toEqual(one.expect.swabbed)
    const stances = one.slice.people
      .map((who) => [who.id, stanceOf(over, who)])
      .filter(([, stance]) => stance)
    expect(Object.fromEntries(stances)).toEqual(one.expect.stances)
    const boxes = [...over.boxes].map(([id, box]) => [
      id,
      {
        code: box.code,
        kind: box.kind,
        bound_for: box.bound_for ?? null,
        with: box.with,
        tubes: box.tubes.map((tube) => tube.barcode),
        bags: box.bags,
      },
    ])
    expect(Object.fromEntries(boxes)).toEqual(one.expect.boxes)
  })
})
