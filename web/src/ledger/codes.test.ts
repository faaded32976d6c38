import { expect, test } from "vitest"

import { CodeMistyped, isPersonalCode, numberOf, readCode, readDocument } from "./codes"

// from muster/registry/engine/personal_code.py
const KNOWN: [id: string, code: string, number: bigint][] = [
  ["0190f000-0000-7000-8000-000000000001", "K7ASFJBX3SFZ", 609743012226353n],
  ["7f3c2a10-9b1e-4f6d-8c2a-000000000fff", "3B9QKNYPG6XK", 118275513342171n],
]

test("codes are read as the server prints them", () => {
  for (const [id, code, number] of KNOWN) {
    expect(numberOf(id)).toBe(number)
    expect(readCode(code).number).toBe(number)
    expect(readCode(` p:${code.toLowerCase().replace(/(.{4})/g, "$1-")}`).number).toBe(number)
  }
})

test("two wrong characters or two that changed places are noticed", () => {
  const [, code] = KNOWN[0]!
  for (let n = 1; n < code.length; n++) {
    const swapped = code.slice(0, n - 1) + code[n] + code[n - 1] + code.slice(n + 1)
    if (swapped !== code) expect(() => readCode(swapped)).toThrow(CodeMistyped)
  }
  expect(() => readCode("P:SHORT")).toThrow(CodeMistyped)
  expect(isPersonalCode("T000000000001")).toBe(false)
})

test("an ID card tells birth and sex; its check is looked at", () => {
  const fine = readDocument("11010519491231002X", new Date("2022-08-01"))
  expect(fine).toMatchObject({ fine: true, birthYear: 1949, sex: "female", kind: "resident_id" })
  expect(readDocument("110105194912310021").fine).toBe(false)
  expect(readDocument("１１０１０５１９４９１２３１００２ｘ").number).toBe("11010519491231002X")
  expect(readDocument("110105491231002").number).toBe("11010519491231002X")
  expect(readDocument("110105194902300021").fine).toBe(false)
  expect(readDocument("E12345678")).toMatchObject({ kind: null, fine: true, birthYear: null })
})
