import { expect, test } from "vitest"

import type { Box, Seen } from "@/ledger/overlay"

import { ageOf, boxTicket, byCode, carried, decidegrees, known, readTicket, tubesOf } from "./boxes"
import { asFact, begin, inside, out, pieces, repack, scan, tidyLabel, type Around } from "./packing"

const BAG = "0190f000-0000-7000-8000-000000000001"
const BOX = "0190f000-0000-7000-8000-000000000002"
const own = (box: string, code: string, kind: string, more: Partial<Box> = {}): Box => ({
  ...{ box, code, kind, tubes: [], bags: [], with: null, at: 1_000, site: "s1", ...more },
})
const bag = own(BAG, "BAG1", "bag", { tubes: [{ barcode: "B1" }, { barcode: "B2" }] })
const box = own(BOX, "BOX1", "box", { bags: [BAG], tubes: [{ barcode: "B3" }], at: 2_000 })
const over = (n: number, subject: string, taker: object, at = 3_000): Seen => ({
  ...{ id: `e${n}`, type: "BoxHandedOver", subject, at, seq: n },
  body: { side: "takes", giver: { site: "s1" }, taker },
})
const around = (more: Partial<Around> = {}): Around => ({
  ...{ sealed: new Map([["T1", "id1"]]), site: "s1", boxes: new Map() },
  labels: [{ kind: "tube", first: "LP100", last: "LP199", site: "s1" }],
  ...more,
})

test("a box holds its own tubes and those of its bags", () => {
  const all = known([], [bag, box], [])
  expect(tubesOf(all.get(BOX)!, all)).toEqual(["B3", "B1", "B2"])
})

test("who took a box last has it; a bag inside is not carried twice", () => {
  const events = [over(1, BOX, { vehicle: "V1" }), over(2, BAG, { vehicle: "V1" })]
  const all = known([], [bag, box], events)
  expect(carried(all, "vehicle:V1").map((one) => one.code)).toEqual(["BOX1"])
  const later = [...events, over(3, BOX, { lab: "L1" }, 4_000)]
  expect(carried(known([], [bag, box], later), "vehicle:V1").map((one) => one.code)).toEqual([
    "BAG1",
  ])
})

test("a code comes again with every tour: the one packed last is meant", () => {
  const again = own("0190f000-0000-7000-8000-000000000003", "BOX1", "box", { at: 9_000 })
  expect(byCode("BOX1", known([], [box, again], []).values())!.box).toBe(again.box)
})

test("a hand-over before it was packed again is of the tour before", () => {
  const again = known([], [{ ...box, at: 5_000 }], [over(1, BOX, { vehicle: "V1" }, 3_000)])
  expect(carried(again, "vehicle:V1")).toEqual([])
})

test("the clock warns half an hour before the limit", () => {
  const at = (minutes: number) => ageOf(0, minutes * 60_000).state
  expect([at(0), at(209), at(210), at(239), at(240)]).toEqual([
    ...["fine", "fine", "soon", "soon", "over"],
  ])
})

test("temperatures as they are typed", () => {
  const read = ["4.5", "-1.0", "4", "４．５", "5,5", "3.2℃", "4.55", "warm", ""].map(decidegrees)
  expect(read).toEqual([45, -10, 40, 45, 55, 32, null, null, null])
})

test("a box's code on a screen makes it known to another phone", () => {
  const all = known([], [bag, { ...box, seal: "S 9:1", bound_for: "L1" }], [])
  const read = readTicket(boxTicket(all.get(BOX)!, all))!
  expect(read).toMatchObject({ box: BOX, code: "BOX1", seal: "S 9:1", bound_for: "L1", count: 3 })
  expect(readTicket("MB:x:y")).toBe(null)
  expect(readTicket("BOX1")).toBe(null)
})

test("each scan says what it is: own, of the site's labels, foreign, twice", () => {
  let packing = { ...begin(BAG, "bag"), code: "BAG1" }
  const said = ["T1", "LP105", "LP999", "T1", "BAG1"].map((code) => {
    const found = scan(packing, code, around())
    packing = found.packing as typeof packing
    return found.said
  })
  expect(said).toEqual(["tube", "tube", "foreign", "again", "own_label"])
  expect(packing.tubes).toEqual([
    { barcode: "T1", tube: "id1" },
    { barcode: "LP105" },
    { barcode: "LP999", foreign: true },
  ])
  expect(inside(out(packing, "LP999"))).toBe(2)
})

test("what lies in another bag is not put in; a bag goes into a box", () => {
  const boxes = known([], [bag], [])
  const into = { ...begin(BOX, "box"), code: "BOX1" }
  expect(scan(into, "B1", around({ boxes }))).toMatchObject({ said: "elsewhere", where: "BAG1" })
  const found = scan(into, "BAG1", around({ boxes }))
  expect([found.said, inside(found.packing), pieces(found.packing)]).toEqual(["bag", 2, 1])
  expect(scan(found.packing, "BAG1", around({ boxes })).said).toBe("bag_again")
})

test("packed again it begins with what is in it, and keeps its id", () => {
  const all = known([], [bag, { ...box, bound_for: "L1" }], [])
  const again = repack(all.get(BOX)!, all, around())
  expect(again).toMatchObject({ box: BOX, again: true, boundFor: "L1", code: "BOX1" })
  expect(inside(again)).toBe(3)
})

test("one record of a bag, with what was counted by hand", () => {
  const packing = scan({ ...begin(BAG, "bag"), code: "BAG1" }, "T1", around()).packing
  const fact = asFact(packing as typeof packing & { code: string }, {
    ...{ count: 2, seal: " S1 ", site: "s1", note: " from X2 " },
  })
  expect(fact).toEqual({
    type: "BoxPacked",
    subject: BAG,
    body: {
      ...{ code: "BAG1", kind: "bag", count: 2, seal: "S1", site: "s1" },
      tubes: [{ barcode: "T1", tube: "id1" }],
    },
    note: "from X2",
  })
})

test("labels as scanners give them", () => {
  expect(["]C1LP 10 5", "ＬＰ１０５", "LP105\n"].map(tidyLabel)).toEqual(
    Array.from({ length: 3 }, () => "LP105"),
  )
})
