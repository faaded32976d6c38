// What was done on this phone in a shift, and whether its tubes are all in bags and all at the server. Pure.
import { overlay, type Seen } from "@/ledger/overlay"
import type { State } from "@/ledger/store"

export type Done = Seen & { state: State }
export const SHIFT_MS = 12 * 3_600_000

export interface Counters {
  tubes: number
  swabs: number
  refusals: number
}

export function counters(done: readonly Done[]): Counters {
  const { tubes, stances } = overlay(done)
  const sealed = [...tubes.values()].filter((one) => one.sealedAt !== null)
  return {
    tubes: sealed.length,
    swabs: sealed.reduce((sum, one) => sum + one.members.length, 0),
    refusals: stances.filter((one) => one.kind === "refused").length,
  }
}

/** Whether the site is open, by the slice and what it does not show yet; and which lanes this phone opened. */
export function openness(
  site: { id: string; open: boolean },
  unseen: readonly Seen[],
  done: readonly Seen[],
): { open: boolean; lanes: Set<number> } {
  const lanes = new Set<number>()
  for (const one of ordered(done, site.id)) {
    if (one.type === "LaneOpened") lanes.add(one.body.lane as number)
    else if (one.type === "LaneClosed") lanes.delete(one.body.lane as number)
    else if (one.type === "SiteClosed") lanes.clear()
  }
  const last = ordered(unseen, site.id)
    .filter((one) => one.type === "SiteOpened" || one.type === "SiteClosed")
    .at(-1)
  return { open: last ? last.type === "SiteOpened" : site.open, lanes }
}

/** What this phone last said of each supply: whether it is short, and how many are left. */
export function shortages(site: string, done: readonly Seen[]): Map<string, number | null> {
  const found = new Map<string, number | null>()
  for (const one of ordered(done, site)) {
    if (one.type !== "SupplyLow") continue
    const item = one.body.item as string
    if (one.body.enough) found.delete(item)
    else found.set(item, (one.body.left as number | undefined) ?? null)
  }
  return found
}

const ordered = (done: readonly Seen[], subject: string): Seen[] =>
  done.filter((one) => one.subject === subject).sort((a, b) => a.at - b.at || a.seq - b.seq)

export type Fault =
  | "not_packed" // sealed here, in no bag or box
  | "not_stored" // sealed here, without the server's receipt
  | "held" // the server has it and a person must look at it
  | "not_sealed" // in a bag, sealed on no phone that is counted here
  | "twice" // sealed on two phones, or in two bags
export interface Difference {
  barcode: string
  fault: Fault
  where: string // the bag, or the other phone
}
export interface Balance {
  made: number
  others: number
  packed: number
  stored: number
  differences: Difference[]
}
export interface Bag {
  code: string
  tubes: string[]
}

/** Tubes of this phone and of others against what lies in the bags and what the server has. */
export function balance(
  done: readonly Done[],
  bags: readonly Bag[],
  others: ReadonlyMap<string, readonly string[]>,
): Balance {
  const made = states(done)
  const there = new Map<string, string>()
  const differences: Difference[] = []
  for (const bag of bags)
    for (const barcode of bag.tubes) {
      if (there.has(barcode)) differences.push({ barcode, fault: "twice", where: bag.code })
      else there.set(barcode, bag.code)
    }
  const whose = new Map<string, string>()
  for (const [device, codes] of others)
    for (const barcode of codes) {
      if (made.has(barcode) || whose.has(barcode))
        differences.push({ barcode, fault: "twice", where: device })
      whose.set(barcode, device)
    }
  for (const [barcode, state] of made) {
    if (!there.has(barcode)) differences.push({ barcode, fault: "not_packed", where: "" })
    if (state !== "stored")
      differences.push({ barcode, fault: state === "held" ? "held" : "not_stored", where: "" })
  }
  for (const [barcode, device] of whose)
    if (!made.has(barcode) && !there.has(barcode))
      differences.push({ barcode, fault: "not_packed", where: device })
  for (const [barcode, bag] of there)
    if (!made.has(barcode) && !whose.has(barcode))
      differences.push({ barcode, fault: "not_sealed", where: bag })
  return {
    made: made.size,
    others: [...whose.keys()].filter((one) => !made.has(one)).length,
    packed: there.size,
    stored: [...made.values()].filter((state) => state === "stored").length,
    differences,
  }
}

const GRAVER: State[] = ["stored", "sent", "saved", "held"]

/** The barcodes sealed here, each with the state of the event that has come least far. */
function states(done: readonly Done[]): Map<string, State> {
  const found = new Map<string, State>()
  for (const tube of overlay(done).tubes.values()) {
    if (tube.sealedAt === null || !tube.barcode) continue
    const own = done.filter((one) => one.subject === tube.tube).map((one) => one.state)
    own.push(...(found.has(tube.barcode) ? [found.get(tube.barcode)!] : []))
    own.sort((a, b) => GRAVER.indexOf(b) - GRAVER.indexOf(a))
    found.set(tube.barcode, own[0]!)
  }
  return found
}

/** The tubes sealed here, for another phone to count with its own. */
export const codesOf = (done: readonly Done[]): string[] => [...states(done).keys()]
