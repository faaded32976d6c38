// The stages of a round in their order: a person or a tube that has come further has passed them all.
import type { components } from "@/generated/api"

export type Glance = components["schemas"]["Glance"]
export type Overview = components["schemas"]["Overview"]
export type Stages = components["schemas"]["Stages"]
export type SiteNow = components["schemas"]["SiteNow"]
export type Alarm = components["schemas"]["Alarm"]

export const PERSON_STAGES = [
  "expected",
  "sampled",
  "sealed",
  "in_transit",
  "received",
  "on_plate",
  "called",
  "released",
  "recalled",
  "closed",
] as const
export const TUBE_STAGES = [
  "opened",
  "sealed",
  "in_transit",
  "received",
  "on_plate",
  "called",
  "released",
] as const
export type PersonStage = (typeof PERSON_STAGES)[number]
export type TubeStage = (typeof TUBE_STAGES)[number]

/** Persons who have come so far; `closed` are recalls that are done with. */
export function persons(stages: Stages, stage: PersonStage): number | null {
  if (stage === "closed") return stages.recalled - stages.recall_open
  return stages[stage] ?? null
}

/** Of which whole a stage is a share: of everybody expected, of recalls those recalled. */
export function whole(stages: Stages, stage: PersonStage): number | null {
  if (stage === "expected" || stage === "recalled") return null
  return stage === "closed" ? stages.recalled : stages.expected
}

/** The tube stage that stands under a person stage, if any. */
export function tubeStage(stage: PersonStage): TubeStage | null {
  if (stage === "sampled") return "opened"
  return (TUBE_STAGES as readonly string[]).includes(stage) ? (stage as TubeStage) : null
}

/** Hours from the first to the last of a curve, also those in which nothing came; at most `most`. */
export function everyHour<Row extends { hour: string }>(
  rows: Row[],
  nothing: (hour: string) => Row,
  most = 72,
): Row[] {
  if (!rows.length) return []
  const known = new Map(rows.map((one) => [Date.parse(one.hour), one]))
  const last = Date.parse(rows.at(-1)!.hour)
  const first = Math.max(Date.parse(rows[0]!.hour), last - (most - 1) * 3_600_000)
  const found: Row[] = []
  for (let at = first; at <= last; at += 3_600_000)
    found.push(known.get(at) ?? nothing(new Date(at).toISOString()))
  return found
}

/** Round steps for an axis up to `most`: 0, 20, 40 … */
export function ticks(most: number, wanted = 4): number[] {
  if (most <= 0) return [0]
  const rough = most / wanted
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = Math.max(1, [1, 2, 5, 10].find((one) => one * power >= rough)! * power)
  const found: number[] = []
  for (let at = 0; at < most + step; at += step) found.push(at)
  return found
}
