// Words of the pages: each domain's words.ts under the domain's name, those of the frame and the shared
// parts under their folder's. Chinese first; a key that Chinese lacks is a defect that a test finds.
import { createI18n } from "vue-i18n"

export type Words = { [key: string]: string | Words }
export type Language = "zh" | "en"
type File = { default: Record<Language, Words> }

const files = import.meta.glob<File>("../{app,ui,domains/*}/words.ts", { eager: true })

export function gathered(language: Language): Record<string, Words> {
  const found = Object.entries(files).map(([path, file]) => [
    path.split("/").at(-2)!,
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

export const say: (key: string, facts?: Record<string, unknown>) => string = (key, facts) =>
  i18n.global.t(key, facts ?? {})
