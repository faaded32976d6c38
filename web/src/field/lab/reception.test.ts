import { expect, test } from "vitest"

import {
  batch,
  ended,
  extra,
  missing,
  pending,
  scan,
  twice,
  undo,
  type Reception,
} from "./reception"

const fresh = (expected: string[] | null = ["B1", "B2", "B3"]): Reception => ({
  ...{ reception: "r", code: "BOX1", lab: "L1", box: "x", expected, scans: [] },
})
function scanned(codes: string[], from = fresh()) {
  const verdicts: string[] = []
  let one = from
  for (const code of codes) {
    const found = scan(one, code)
    one = found.reception
    verdicts.push(found.verdict)
  }
  return { one, verdicts }
}

test("each tube against the manifest", () => {
  const { one, verdicts } = scanned(["B1", "X9", "B1", "B3", "B2"])
  expect(verdicts).toEqual(["ok", "extra", "again", "ok", "done"])
  expect([missing(one), extra(one), twice(one)]).toEqual([[], ["X9"], ["B1"]])
})

test("what was not scanned is missing", () => {
  expect(missing(scanned(["B2"]).one)).toEqual(["B1", "B3"])
})

test("without a manifest tubes are counted and nothing is missing", () => {
  const { one, verdicts } = scanned(["B1", "B1"], fresh(null))
  expect([verdicts, missing(one), extra(one)]).toEqual([["counted", "again"], [], []])
})

test("scans wait for a batch, and are in one only once", () => {
  const { one } = scanned(["B1", "B2"])
  const first = batch(one)
  expect(first.facts[0]!.body).toEqual({
    lab: "L1",
    scans: [{ barcode: "B1" }, { barcode: "B2" }],
  })
  const more = scan(first.reception, "B3", "leaking").reception
  expect(pending(more)).toBe(1)
  expect(batch(more).facts[0]!.body).toEqual({
    lab: "L1",
    scans: [{ barcode: "B3", condition: "leaking" }],
  })
  expect(batch(batch(more).reception).facts).toEqual([])
})

test("the ledger is told of an undoing only where it knows the scan", () => {
  const { one } = scanned(["B1", "B2"])
  expect(undo(one)).toMatchObject({ facts: [], gone: { barcode: "B2" } })
  const told = undo(batch(one).reception)
  expect(told.facts).toEqual([
    { type: "ScanUndone", subject: "r", body: { lab: "L1", barcode: "B2" } },
  ])
  expect(missing(told.reception)).toEqual(["B2", "B3"])
})

test("the end takes along what waits", () => {
  expect(ended(scanned(["B1"]).one).map((one) => one.type)).toEqual([
    ...["TubesReceived", "ReceptionEnded"],
  ])
})
