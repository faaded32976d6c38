import { describe, expect, it } from "vitest"

import { ending, treemap, type Node } from "./treemap"

const nodes: Node[] = [
  { id: "root", parent: "elsewhere", size: 100 },
  { id: "a", parent: "root", size: 60 },
  { id: "b", parent: "root", size: 30 },
  { id: "c", parent: "root", size: 10 },
  { id: "none", parent: "root", size: 0 },
  { id: "a1", parent: "a", size: 40 },
  { id: "a2", parent: "a", size: 20 },
]
const options = { width: 400, height: 300 }

describe("a treemap", () => {
  it("gives each its share of the whole, and nothing to nobody", () => {
    const found = treemap(nodes, { ...options, depth: 1 })
    expect(found.map((one) => one.id).sort()).toEqual(["a", "b", "c"])
    for (const one of found) {
      const size = nodes.find((node) => node.id === one.id)!.size
      expect(one.width * one.height).toBeCloseTo((400 * 300 * size) / 100, 3)
      expect(one.holds).toBe(false)
    }
  })
  it("keeps everything inside, and nothing over another", () => {
    const found = treemap(nodes, { ...options, depth: 1 })
    for (const one of found) {
      expect(one.x).toBeGreaterThanOrEqual(0)
      expect(one.x + one.width).toBeLessThanOrEqual(400.001)
      expect(one.y + one.height).toBeLessThanOrEqual(300.001)
      for (const other of found) {
        const apart =
          one === other ||
          one.x + one.width <= other.x + 0.001 ||
          other.x + other.width <= one.x + 0.001 ||
          one.y + one.height <= other.y + 0.001 ||
          other.y + other.height <= one.y + 0.001
        expect(apart).toBe(true)
      }
    }
  })
  it("draws children inside their parent, parents first", () => {
    const found = treemap(nodes, { ...options, depth: 2 })
    const at = (id: string) => found.find((one) => one.id === id)!
    expect(at("a").holds).toBe(true)
    expect(found.findIndex((one) => one.id === "a")).toBeLessThan(
      found.findIndex((one) => one.id === "a1"),
    )
    expect(at("a1").y).toBeGreaterThan(at("a").y)
    expect(at("a1").x + at("a1").width).toBeLessThanOrEqual(at("a").x + at("a").width)
  })
  it("is nothing of nothing", () => {
    expect(treemap([], { ...options, depth: 3 })).toEqual([])
  })
  it("makes 3,000 of them in good time", () => {
    const many: Node[] = [{ id: "root", parent: null, size: 1 }]
    for (let n = 0; n < 3000; n++) many.push({ id: `n${n}`, parent: "root", size: 1 + (n % 97) })
    const began = performance.now()
    expect(treemap(many, { ...options, depth: 1 })).toHaveLength(3000)
    expect(performance.now() - began).toBeLessThan(500)
  })
})

describe("what names end in", () => {
  it("is told for three or more, and leaves something of each", () => {
    expect(ending(["东山社区居委会", "西山社区居委会", "南社区居委会"])).toBe(5)
    expect(ending(["一楼", "楼", "二楼"])).toBe(0)
    expect(ending(["甲社区", "乙社区"])).toBe(0)
    expect(ending([])).toBe(0)
  })
})
