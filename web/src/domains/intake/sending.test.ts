import { expect, test, vi } from "vitest"

vi.stubGlobal("navigator", { language: "zh-CN" })
vi.stubGlobal("location", { origin: "http://localhost" })
vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: () => undefined }))
const { missingParts } = await import("./sending")

test.each([
  [10, 4, [], [0, 1, 2]],
  [10, 4, [1], [0, 2]],
  [8, 4, [0, 1], []],
  [1, 4, [], [0]],
])("of %s bytes in pieces of %s with %j there, %j are missing", (size, part, here, missing) => {
  expect(missingParts(size, part, here)).toEqual(missing)
})
