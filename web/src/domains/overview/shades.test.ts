import { describe, expect, it } from "vitest"

import { coloured, legend, shade, steps, value, type Piece } from "./shades"

const piece = (missing: number, expected = 100) =>
  ({ missing, expected, sampled: expected - missing, released: 0, recall_open: 0 }) as Piece

describe("the shades of a map", () => {
  it("rise with the number, each border over the one before", () => {
    for (const found of [[0], [1, 1, 1], [1, 2, 2, 3], [5, 80, 900, 1, 0, 33]]) {
      const borders = steps(
        found.map((one) => piece(one)),
        "missing",
      )
      expect(borders).toHaveLength(4)
      expect([...borders].sort((a, b) => a - b)).toEqual(borders)
      expect(new Set(borders).size).toBe(4)
      expect(shade(0, borders)).toBe(0)
      expect(shade(1, borders)).toBe(1)
    }
  })
  it("call nothing complete while somebody is missing", () => {
    const borders = steps([], "sampled")
    expect(shade(value(piece(0), "sampled"), borders)).toBe(4)
    expect(shade(value(piece(1, 1_000_000), "sampled"), borders)).toBe(3)
  })
  it("have none where nobody lives", () => {
    expect(shade(value(piece(0, 0), "sampled"), [50, 80, 95, 100])).toBe(-1)
  })
  it("are said in words", () => {
    expect(legend([1, 2, 5, 9], "missing")).toEqual(["0", "1", "2–4", "5–8", "≥ 9"])
    expect(legend([50, 80, 95, 100], "sampled")[4]).toBe("100%")
  })
})

describe("what is coloured", () => {
  const at = (area: string, parent: string | null, lon: number | null = null) =>
    ({ ...piece(0), area, parent, lon_micro: lon }) as Piece
  const pieces = [at("r", null), at("a", "r", 1), at("a1", "a", 2), at("a2", "a"), at("b", "r")]
  const names = (found: Piece[]) => found.map((one) => one.area)
  it("are the areas at a depth, and higher ones without any below", () => {
    expect(names(coloured(pieces, { depth: 1, placed: false }))).toEqual(["a", "b"])
    expect(names(coloured(pieces, { depth: 2, placed: false }))).toEqual(["a1", "a2", "b"])
    expect(coloured([], { depth: 2, placed: false })).toEqual([])
  })
  it("are, by position, the lowest that have one", () => {
    expect(names(coloured(pieces, { depth: 0, placed: true }))).toEqual(["a1"])
  })
})
