import { describe, expect, test } from "vitest"

import { gathered as ofField } from "../field/i18n"
import { gathered as ofConsole, type Words } from "."

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

const sources = import.meta.glob<string>("../**/*.{ts,vue}", {
  eager: true,
  query: "?raw",
  import: "default",
})

describe.each([
  ["console", ofConsole],
  ["field client", ofField],
])("the %s", (_, gathered) => {
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

  test("every word is used somewhere", () => {
    const text = Object.entries(sources)
      .filter(([path]) => !/words|generated/.test(path))
      .map(([, source]) => source)
      .join("\n")
    // A key put together at run time, such as `work.kind.${one}.title`, uses all that fit it.
    const made = [...text.matchAll(/`((?:[\w-]+\.)+(?:[\w.-]|\$\{[^`]*?\})*)`/g)].map(
      (found) =>
        new RegExp(
          `^${found[1]!
            .replace(/\$\{[^}]*\}/g, "\u0000")
            .replaceAll(".", "\\.")
            .replaceAll("\u0000", "[\\w.-]+")}$`,
        ),
    )
    const unused = keys(gathered("zh")).filter(
      (key) => !text.includes(key) && !made.some((pattern) => pattern.test(key)),
    )
    expect(unused).toEqual([])
  })
})
