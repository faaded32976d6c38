// Numbers, times and shares as people read them, in the language chosen. Times are shown in the zone of
// the campaign's machines, which is the browser's.
import { preferences } from "@/app/preferences"

const tag = () => (preferences.language === "zh" ? "zh-CN" : "en-GB")

// Made once each: a list draws hundreds, and making one costs a hundred times what using it does.
const made = new Map<string, unknown>()
function once<T>(key: string, make: (tag: string) => T): T {
  const name = `${tag()} ${key}`
  if (!made.has(name)) made.set(name, make(tag()))
  return made.get(name) as T
}

/** 1234567 → 1,234,567; nothing → – */
export function count(value: number | null | undefined): string {
  return value === null || value === undefined
    ? "–"
    : once("count", (in_) => new Intl.NumberFormat(in_)).format(value)
}

/** Part of a whole in percent, one decimal, never rounded up to 100 while somebody is missing. */
export function share(part: number | null | undefined, whole: number | null | undefined): string {
  if (part === null || part === undefined || !whole) return "–"
  const exact = (100 * part) / whole
  const rounded = Math.round(exact * 10) / 10
  const shown = part < whole && rounded >= 100 ? 99.9 : rounded
  return `${shown.toLocaleString(tag(), { minimumFractionDigits: 1, maximumFractionDigits: 1 })}%`
}

const DAY: Intl.DateTimeFormatOptions = { month: "2-digit", day: "2-digit" }
const CLOCK: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }

/** 11-22 19:04; of another year with it. Nothing → – */
export function time(value: string | null | undefined, seconds = false): string {
  if (!value) return "–"
  const at = new Date(value)
  const year = at.getFullYear() === new Date().getFullYear() ? undefined : ("numeric" as const)
  const second = seconds ? ("2-digit" as const) : undefined
  return once(
    `time ${year} ${second}`,
    (in_) => new Intl.DateTimeFormat(in_, { ...DAY, ...CLOCK, year, second }),
  ).format(at)
}

/** 19:04 */
export function clock(value: string | null | undefined): string {
  return value ? new Date(value).toLocaleTimeString(tag(), CLOCK) : "–"
}

/** Minutes as 45 min, 3 h 05 min, 2 d 4 h. */
export function duration(minutes: number | null | undefined): string {
  if (minutes === null || minutes === undefined) return "–"
  const zh = preferences.language === "zh"
  const whole = Math.round(Math.abs(minutes))
  const [d, h, m] = [Math.floor(whole / 1440), Math.floor((whole % 1440) / 60), whole % 60]
  const parts = d
    ? [`${d} ${zh ? "天" : "d"}`, `${h} ${zh ? "小时" : "h"}`]
    : h
      ? [`${h} ${zh ? "小时" : "h"}`, `${String(m).padStart(2, "0")} ${zh ? "分" : "min"}`]
      : [`${m} ${zh ? "分钟" : "min"}`]
  return (minutes < 0 ? "−" : "") + parts.join(" ")
}

/** How long ago, or in how long: 12 min ago. */
export function ago(value: string | null | undefined): string {
  if (!value) return "–"
  const minutes = (new Date(value).getTime() - Date.now()) / 60000
  const relative = once("ago", (in_) => new Intl.RelativeTimeFormat(in_, { numeric: "auto" }))
  const size = Math.abs(minutes)
  if (size < 60) return relative.format(Math.round(minutes), "minute")
  if (size < 1440) return relative.format(Math.round(minutes / 60), "hour")
  return relative.format(Math.round(minutes / 1440), "day")
}
