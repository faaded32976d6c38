// A box that is being emptied at a laboratory: each scan against its manifest. Codes only; no names come here.
// Pure.
import type { Fact } from "@/ledger/vocabulary"

export type Condition = "ok" | "leaking" | "damaged" | "empty" | "unlabelled"
export type Verdict = "ok" | "again" | "extra" | "counted" | "done"
export interface Scan {
  barcode: string
  condition: Condition
  recorded: boolean // it is in an event; else it waits for the next batch
}
export interface Reception {
  reception: string
  code: string
  lab: string
  box: string | null
  expected: string[] | null // null: its manifest is not known here
  scans: Scan[]
}
export const BATCH = 20 // scans of one event
const MOST_SCANS = 1_000

/** What a scan is, and the reception with it. */
export function scan(
  one: Reception,
  barcode: string,
  condition: Condition = "ok",
): { reception: Reception; verdict: Verdict } {
  const again = one.scans.some((scan) => scan.barcode === barcode)
  const reception = { ...one, scans: [...one.scans, { barcode, condition, recorded: false }] }
  return { reception, verdict: again ? "again" : verdictOf(reception, barcode) }
}

function verdictOf(one: Reception, barcode: string): Verdict {
  if (!one.expected) return "counted"
  if (!one.expected.includes(barcode)) return "extra"
  return missing(one).length ? "ok" : "done"
}

export function missing(one: Reception): string[] {
  const there = new Set(one.scans.map((scan) => scan.barcode))
  return (one.expected ?? []).filter((barcode) => !there.has(barcode))
}

export function extra(one: Reception): string[] {
  if (!one.expected) return []
  const listed = new Set(one.expected)
  return distinct(one).filter((barcode) => !listed.has(barcode))
}

export function twice(one: Reception): string[] {
  return distinct(one).filter(
    (barcode) => one.scans.filter((scan) => scan.barcode === barcode).length > 1,
  )
}

export const unfit = (one: Reception): Scan[] => one.scans.filter((scan) => scan.condition !== "ok")

const distinct = (one: Reception): string[] => [...new Set(one.scans.map((scan) => scan.barcode))]

export const pending = (one: Reception): number => one.scans.filter((scan) => !scan.recorded).length

/** What waits, as events, and the reception once they are recorded. */
export function batch(one: Reception): { facts: Fact[]; reception: Reception } {
  const waiting = one.scans.filter((scan) => !scan.recorded)
  const facts: Fact[] = []
  for (let n = 0; n < waiting.length; n += MOST_SCANS)
    facts.push({
      type: "TubesReceived",
      subject: one.reception,
      body: {
        lab: one.lab,
        scans: waiting
          .slice(n, n + MOST_SCANS)
          .map(({ barcode, condition }) =>
            condition === "ok" ? { barcode } : { barcode, condition },
          ),
      },
    })
  return {
    facts,
    reception: { ...one, scans: one.scans.map((scan) => ({ ...scan, recorded: true })) },
  }
}

/** Without the last scan; of one that is recorded the ledger has to be told. */
export function undo(one: Reception): { facts: Fact[]; reception: Reception; gone: Scan | null } {
  const gone = one.scans.at(-1) ?? null
  if (!gone) return { facts: [], reception: one, gone }
  const { barcode, condition } = gone
  const reception = { ...one, scans: one.scans.slice(0, -1) }
  if (!gone.recorded) return { facts: [], reception, gone }
  const told = condition === "ok" ? {} : { condition }
  const body = { lab: one.lab, barcode, ...told }
  return { facts: [{ type: "ScanUndone", subject: one.reception, body }], reception, gone }
}

/** The events that end it: what waits, and that the box is empty. */
export function ended(one: Reception): Fact[] {
  const end = { type: "ReceptionEnded", subject: one.reception, body: { lab: one.lab } }
  return [...batch(one).facts, end]
}
