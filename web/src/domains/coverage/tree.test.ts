import { expect, test, vi } from "vitest"

vi.stubGlobal("navigator", { language: "zh-CN" })
vi.stubGlobal("location", { origin: "http://localhost" })
vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: () => undefined }))
const { addsUp, ordered } = await import("./tree")
import type { Line } from "./tree"

function line(name: string, expected: number, sampled: number, missing: number): Line {
  return {
    area: name, code: name, name, level: "street", parent: null, children: 0,
    expected, sampled, missing, resulted: sampled, invalid: 0, pending: 0, recalled: 0,
    recall_open: 0, exempt: 0, away: 0, refused: 0, swabs: sampled,
  } // prettier-ignore
}
const LINES = [line("a", 10, 8, 2), line("b", 100, 97, 3), line("c", 5, 5, 0)]
const names = (lines: Line[]) => lines.map((one) => one.name).join("")

test("areas come in the order of the walk, by who is missing, or by share", () => {
  expect(names(ordered([...LINES], "walk", false))).toBe("abc")
  expect(names(ordered([...LINES], "missing", false))).toBe("bac")
  expect(names(ordered([...LINES], "share", false))).toBe("abc")
  expect(names(ordered([...LINES], "walk", true))).toBe("ab")
})

test("figures that do not add up are seen", () => {
  expect(LINES.map(addsUp)).toEqual([true, true, true])
  expect(addsUp({ ...LINES[0]!, missing: 3 })).toBe(false)
  expect(addsUp({ ...LINES[0]!, pending: 1 })).toBe(false)
})
