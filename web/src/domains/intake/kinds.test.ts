import { expect, test } from "vitest"

import { isMoving, percent, stepOf, type Import } from "./kinds"

const file = (state: string, kind: string | null = "residents") =>
  ({ state, kind }) as unknown as Import

test.each([
  ["receiving", 1, false],
  ["received", 2, false],
  ["check_waiting", 3, true],
  ["checking", 3, true],
  ["checked", 3, false],
  ["waiting", 4, true],
  ["running", 4, true],
  ["stopped", 4, false],
  ["done", 4, false],
])("a file that is %s is at step %s", (state, step, moving) => {
  expect(stepOf(file(state))).toBe(step)
  expect(isMoving(file(state))).toBe(moving)
})

test("what could not be read at all has not passed the second step", () => {
  expect(stepOf(file("failed", null))).toBe(2)
  expect(stepOf(file("failed"))).toBe(4)
})

test.each([
  [0, 0, 0],
  [1, 3, 33],
  [3, 3, 99],
])("%s of %s is %s percent until it is over", (done, total, shown) => {
  expect(percent(done, total)).toBe(shown)
})
