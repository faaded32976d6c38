import { expect, test, vi } from "vitest"

vi.stubGlobal("navigator", { language: "zh-CN" })
vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: () => undefined }))
const { count, duration, share } = await import("./format")

test.each([
  [4.7, 9.2, "51.1%"],
  [9999, 10000, "99.9%"], // not "100.0%" while one is missing
  [10000, 10000, "100.0%"],
  [51.1, 45.3, "112.8%"], // an impossible share is shown as it is
  [0, 0, "–"],
])("the share of %s in %s is %s", (part, whole, shown) => {
  expect(share(part, whole)).toBe(shown)
})

test.each([
  [45, "45 分钟"],
  [185, "3 小时 05 分"],
  [3000, "2 天 2 小时"],
  [-5, "−5 分钟"],
  [null, "–"],
])("%s minutes are %s", (minutes, shown) => {
  expect(duration(minutes)).toBe(shown)
})

test("a count that is not known is not nought", () => {
  expect([count(null), count(0), count(820000)]).toEqual(["–", "0", "820,000"])
})
