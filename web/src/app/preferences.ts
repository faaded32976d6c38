// What one person has chosen on this machine: language, light or dark, size of text. Nothing of it is
// anybody's data, so it may stay in the browser.
import { reactive, watch } from "vue"

import { locale, type Language } from "@/i18n"

export type Theme = "auto" | "light" | "dark" | "wall"

export interface Preferences {
  language: Language
  theme: Theme
  large: boolean
  sound: boolean
  narrow: boolean
}

const KEY = "muster.preferences"
const usual: Preferences = {
  language: navigator.language.toLowerCase().startsWith("en") ? "en" : "zh",
  theme: "auto",
  large: false,
  sound: true,
  narrow: false,
}

function stored(): Partial<Preferences> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Preferences>
  } catch {
    return {} // what another program left there is no reason not to start
  }
}

export const preferences = reactive<Preferences>({ ...usual, ...stored() })

const dark = matchMedia("(prefers-color-scheme: dark)")

/** Let the page look as chosen, now and after every change. */
export function apply(): void {
  const show = () => {
    const root = document.documentElement
    const wall = preferences.theme === "wall"
    root.classList.toggle(
      "dark",
      wall || preferences.theme === "dark" || (preferences.theme === "auto" && dark.matches),
    )
    root.classList.toggle("wall", wall)
    root.classList.toggle("large", preferences.large)
    root.lang = preferences.language === "zh" ? "zh-CN" : "en"
    locale.value = preferences.language
  }
  watch(
    preferences,
    () => {
      show()
      try {
        localStorage.setItem(KEY, JSON.stringify(preferences))
      } catch {
        // a full or forbidden store: the choice holds until the page is closed
      }
    },
    { immediate: true },
  )
  dark.addEventListener("change", show)
}
