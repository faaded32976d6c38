import { expect, test } from "vitest"

import type { State } from "@/ledger/store"

import { readText, toTexts } from "./exchange"
import { balance, codesOf, counters, openness, shortages, type Done } from "./shift"
import { arrived, median, none, settled, swabbed } from "./waits"

const MINUTE = 60_000
let made = 0
const one = (type: string, subject: string, body = {}, state: State = "stored"): Done => ({
  ...{ id: `e${++made}`, type, subject, at: made * 1_000, seq: made, body, state },
})
const sealed = (barcode: string, people: number, state: State = "stored") =>
  one(
    "TubeSealed",
    `tube-${barcode}`,
    {
      ...{ barcode, purpose: "round", capacity: 10 },
      members: Array.from({ length: people }, (_, n) => ({
        ...{ person: `${barcode}-${n}`, position: n + 1 },
      })),
    },
    state,
  )

test("who is scanned twice was timed", () => {
  let waits = arrived(none(), "A7", 0).waits
  expect(arrived(waits, "A7", MINUTE).said).toBe("again")
  waits = arrived(waits, "A8", MINUTE).waits
  const found = swabbed(waits, "A7", 12 * MINUTE)
  expect([found.minutes, found.waits.came.length]).toEqual([12, 1])
  expect(swabbed(found.waits, "A7", 13 * MINUTE).minutes).toBe(null)
})

test("the median is of the last ten", () => {
  let waits = none()
  for (let n = 0; n < 12; n++) {
    waits = arrived(waits, `t${n}`, 0).waits
    waits = swabbed(waits, `t${n}`, n * MINUTE).waits
  }
  expect(waits.took).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
  expect([median(waits.took), median([3]), median([])]).toEqual([7, 3, null])
})

test("who was registered at this phone's table is timed by it; an older swab does not count", () => {
  const waits = arrived(arrived(none(), "p1", 10 * MINUTE).waits, "p2", 10 * MINUTE).waits
  const found = settled(waits, (key) => (key === "p1" ? 25 * MINUTE : 5 * MINUTE))
  expect([found.took, found.came.map(([key]) => key)]).toEqual([[15], ["p2"]])
})

test("tubes, swabs and refusals of a shift", () => {
  const done = [
    ...[sealed("B1", 3), sealed("B2", 2), one("RefusalRecorded", "p9", { round: "r" })],
    one("SpecimenVoided", "tube-B1", { person: "B1-0", reason: "left" }),
  ]
  expect(counters(done)).toEqual({ tubes: 2, swabs: 4, refusals: 1 })
})

test("a site is what the slice says, but for what it does not show yet", () => {
  const site = { id: "s", open: false }
  const lanes = [one("LaneOpened", "s", { lane: 1 }), one("LaneOpened", "s", { lane: 2 })]
  const open = one("SiteOpened", "s", {}, "saved")
  const closed = [...lanes, one("LaneClosed", "s", { lane: 1 })]
  expect(openness(site, [open], closed)).toEqual({ open: true, lanes: new Set([2]) })
  expect(openness({ ...site, open: true }, [], [])).toEqual({ open: true, lanes: new Set() })
  expect(openness(site, [one("SiteOpened", "other")], []).open).toBe(false)
})

test("what runs short until more was brought", () => {
  const done = [
    ...[one("SupplyLow", "s", { item: "tubes", left: 4 }), one("SupplyLow", "s", { item: "ice" })],
    ...[
      one("SupplyLow", "s", { item: "ice", enough: true }),
      one("SupplyLow", "x", { item: "ice" }),
    ],
  ]
  expect([...shortages("s", done)]).toEqual([["tubes", 4]])
})

test("a shift that balances", () => {
  const done = [sealed("B1", 1), sealed("B2", 1)]
  const sheet = balance(
    done,
    [{ code: "BAG1", tubes: ["B1", "B2", "C1"] }],
    new Map([["PH-2", ["C1"]]]),
  )
  expect(sheet).toEqual({ made: 2, others: 1, packed: 3, stored: 2, differences: [] })
})

test("what differs is named tube by tube", () => {
  const done = [sealed("B1", 1), sealed("B2", 1, "saved"), sealed("B3", 1, "held"), sealed("B4", 1)]
  const bags = [
    { code: "BAG1", tubes: ["B1", "B2", "B3", "Z9"] },
    { code: "BAG2", tubes: ["B1"] },
  ]
  const others = new Map([["PH-2", ["C1", "B2"]]])
  const found = balance(done, bags, others).differences
  expect(found.map((one) => `${one.barcode} ${one.fault} ${one.where}`.trim()).sort()).toEqual([
    ...["B1 twice BAG2", "B2 not_stored", "B2 twice PH-2", "B3 held", "B4 not_packed"],
    ...["C1 not_packed PH-2", "Z9 not_sealed BAG1"],
  ])
})

test("another phone's tubes come whole or not at all", () => {
  const codes = Array.from({ length: 90 }, (_, n) => `LP${n}`)
  const texts = toTexts("PH-2", "李:护士", codes)
  expect(texts).toHaveLength(3)
  const parts = texts.map((text) => readText(text)!)
  expect(parts.flatMap((part) => part.codes)).toEqual(codes)
  expect(parts[0]).toMatchObject({ device: "PH-2", signer: "李:护士", n: 1, of: 3 })
  const some = readText(toTexts("PH-2", "x", ["A,1", "+B"], new Set(["A,1"]))[0]!)!
  expect([some.codes, some.packed]).toEqual([["A,1", "+B"], ["A,1"]])
  expect(readText(texts[0]!.slice(0, -1))).toBe(null)
  expect(readText(texts[0]!.replace("LP7,", ""))).toBe(null)
  expect(readText(toTexts("PH-2", "x", [])[0]!)!.codes).toEqual([])
})

test("a tube that was opened again is one tube, as far as its last record has come", () => {
  const done = [sealed("B1", 1), sealed("B1", 1, "saved")]
  expect(codesOf(done)).toEqual(["B1"])
  expect(balance(done, [], new Map()).stored).toBe(0)
})
