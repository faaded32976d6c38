import { describe, expect, it } from "vitest"

import { everyHour, ticks, tubeStage } from "./stages"

describe("the curve's hours", () => {
  const row = (hour: string, tubes: number) => ({ hour, tubes })
  it("fills what came between", () => {
    const found = everyHour(
      [row("2022-08-01T08:00:00.000Z", 3), row("2022-08-01T11:00:00Z", 1)],
      (hour) => row(hour, 0),
    )
    expect(found.map((one) => one.tubes)).toEqual([3, 0, 0, 1])
  })
  it("keeps the latest where there are too many, and nothing of nothing", () => {
    const found = everyHour(
      [row("2022-08-01T08:00:00Z", 3), row("2022-08-09T08:00:00Z", 1)],
      (hour) => row(hour, 0),
      24,
    )
    expect(found.length).toBe(24)
    expect(found.at(-1)!.tubes).toBe(1)
    expect(everyHour([], (hour) => row(hour, 0))).toEqual([])
  })
})

describe("an axis", () => {
  it("has round steps that reach over the most", () => {
    expect(ticks(870)).toEqual([0, 500, 1000])
    expect(ticks(3)).toEqual([0, 1, 2, 3])
    expect(ticks(0)).toEqual([0])
    for (const most of [1, 9, 10, 11, 99, 1234, 51_000]) {
      expect(ticks(most).at(-1)!).toBeGreaterThanOrEqual(most)
      expect(ticks(most).length).toBeLessThanOrEqual(6)
    }
  })
})

it("tubes stand under the persons of the same stage", () => {
  expect(tubeStage("sampled")).toBe("opened")
  expect(tubeStage("released")).toBe("released")
  expect(tubeStage("recalled")).toBe(null)
})
