// Codes of the server as people's words, and a tube's events as moments of its timeline.
import type { RouteLocationRaw } from "vue-router"

import { i18n, say } from "@/i18n"
import { count } from "@/ui/format"

/** The word for a code of some kind; a code without a word is shown as it is. */
export function word(kind: string, code: string | null | undefined): string {
  if (code === null || code === undefined || code === "") return "–"
  const key = `desk.${kind}.${code}`
  return i18n.global.te(key) || i18n.global.te(key, "zh") ? say(key) : code
}

/** Who has something: `vehicle:VAN1`, `lab:L1`, `site:…`, `person:…`. */
export function party(text: string | null | undefined): string {
  if (!text) return "–"
  const [kind, ...rest] = text.split(":")
  const code = rest.join(":")
  const named = /^[0-9a-f]{8}-/.test(code) ? "" : ` ${code}`
  return word("party", kind) + named
}

export interface Told {
  at: string
  type: string
  actor: string
  device?: string | null
  body: Record<string, unknown> | null
}

const text = (value: unknown) => (typeof value === "string" ? value : "")

/** What an event says beside its type, in a few words. */
export function details(one: Told): string {
  const body = one.body ?? {}
  const parts: string[] = []
  const add = (kind: string, name: string) => {
    if (body[name]) parts.push(word(kind, text(body[name])))
  }
  if (Array.isArray(body.members))
    parts.push(say("desk.people_count", { count: count(body.members.length) }))
  add("outcome", "outcome")
  add("outcome", "call")
  add("reason", "reason")
  add("how", "how")
  add("fault", "kind")
  if (text(body.condition) && body.condition !== "ok") add("fault", "condition")
  for (const name of ["code", "plate", "well", "lab"])
    if (text(body[name]) && !/^[0-9a-f]{8}-/.test(text(body[name]))) parts.push(text(body[name]))
  if (typeof body.temperature_decidegrees === "number")
    parts.push(`${(body.temperature_decidegrees / 10).toFixed(1)} °C`)
  if (text(body.side)) add("side", "side")
  const taker = body.taker as Record<string, string> | undefined
  if (taker) {
    const [kind, code] = Object.entries(taker)[0] ?? []
    parts.push(`→ ${party(`${kind}:${code}`)}`)
  }
  return [...new Set(parts)].join(" · ")
}

const GRAVE = new Set(["RecallOrdered", "DiscrepancyOpened", "TubeRejected", "ResultRejected"])
export function tone(one: Told): "good" | "bad" | "warn" | undefined {
  const outcome = text(one.body?.outcome)
  if (GRAVE.has(one.type) || outcome === "positive") return "bad"
  if (outcome === "indeterminate" || outcome === "invalid") return "warn"
  return one.type === "ResultReleased" ? "good" : undefined
}

/** An event as a moment of a timeline. */
export function moment(one: Told, to?: RouteLocationRaw) {
  return {
    at: one.at,
    title: word("event", one.type),
    text: details(one),
    by: [one.actor.startsWith("rule:") ? say("desk.by_rule") : one.actor, one.device]
      .filter(Boolean)
      .join(" · "),
    tone: tone(one),
    to,
  }
}
