import { expect, test } from "vitest"

import { WORDS } from "./prompts"

const files = Object.keys(import.meta.glob("./voice/*/*.mp3"))

test("every prompt is recorded in both languages, and nothing else is", () => {
  const wanted = ["zh", "en"].flatMap((one) => WORDS.map((word) => `./voice/${one}/${word}.mp3`))
  expect(files.sort()).toEqual(wanted.sort())
})
