// The field client's words: those of its own folders and of the shared parts it shows.
import { createI18n } from "vue-i18n"

import type { Language, Words } from "../i18n"

type File = { default: Record<Language, Words> }
const files = import.meta.glob<File>("./{words,*/words}.ts", { eager: true })

export function gathered(language: Language): Record<string, Words> {
  const found = Object.entries(files).map(([path, file]) => [
    path === "./words.ts" ? "field" : path.split("/").at(-2)!,
    file.default[language],
  ])
  return Object.fromEntries(found)
}

export const i18n = createI18n({
  legacy: false,
  locale: "zh",
  fallbackLocale: "en",
  messages: { zh: gathered("zh"), en: gathered("en") },
  datetimeFormats: {},
})

export const locale = i18n.global.locale
export type { Language, Words }
export const say: (key: string, facts?: Record<string, unknown>) => string = (key, facts) =>
  i18n.global.t(key, facts ?? {})
