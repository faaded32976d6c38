import { expect, test } from "vitest"

import { gathered, type Words } from "."

function keys(words: Words, before = ""): string[] {
  return Object.entries(words).flatMap(([key, value]) =>
    typeof value === "string" ? [before + key] : keys(value, `${before}${key}.`),
  )
}

function places(words: Words): string[] {
  const texts = keys(words).map((key) =>
    key.split(".").reduce<Words | string>((at, part) => (at as Words)[part]!, words),
  ) as string[]
  return texts.map((text) =>
    [...text.matchAll(/\{(\w+)\}/g)]
      .map((found) => found[1])
      .sort()
      .join(),
  )
}

test("both languages have the same words, with the same facts in them", () => {
  const [zh, en] = [gathered("zh"), gathered("en")]
  expect(keys(zh).sort()).toEqual(keys(en).sort())
  for (const name of Object.keys(zh)) {
    expect(keys(zh[name] as Words), name).toEqual(keys(en[name] as Words))
    expect(places(zh[name] as Words), name).toEqual(places(en[name] as Words))
  }
})

test("no word is empty, and Chinese is Chinese", () => {
  const zh = gathered("zh")
  const texts = keys(zh).map(
    (key) =>
      key.split(".").reduce<Words | string>((at, part) => (at as Words)[part]!, zh) as string,
  )
  expect(texts.filter((text) => !text.trim())).toEqual([])
})
