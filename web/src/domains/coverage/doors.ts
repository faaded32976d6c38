// Who lives behind which door.
import { address } from "@/api/client"
import { preferences } from "@/app/preferences"
import type { components } from "@/generated/api"

export type Doors = components["schemas"]["Doors"]
export type DoorPerson = components["schemas"]["DoorPerson"]

/** Where the missing of a place are had on paper, a code a home, in the reader's language. */
export function paperOf(round: string, area: string, reason = ""): string {
  const language = preferences.language
  return address("/v1/print/missing", { round, area, reason, language })
}

export const REASONS = [
  "illness", "infant", "vaccinated_48h", "tested_elsewhere", "bedridden", "other",
] as const // prettier-ignore

export interface Household {
  room: string
  people: DoorPerson[]
  missing: number
}

/** People by room, rooms as people count them (9 before 10); those in which nobody is missing may be left
 * out. */
export function households(people: DoorPerson[], onlyMissing: boolean): Household[] {
  const rooms = new Map<string, DoorPerson[]>()
  for (const one of people) {
    const room = one.room ?? ""
    rooms.set(room, [...(rooms.get(room) ?? []), one])
  }
  const found = [...rooms].map(([room, inside]) => ({
    room,
    people: inside,
    missing: inside.filter((one) => one.standing === "missing").length,
  }))
  return found
    .filter((one) => !onlyMissing || one.missing > 0)
    .sort((a, b) => a.room.localeCompare(b.room, "zh-CN", { numeric: true }))
}

/** An id that the page mints and keeps until it was recorded: sent twice, it is recorded once. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  let now = Date.now()
  for (let n = 5; n >= 0; n--) {
    bytes[n] = now % 256
    now = Math.floor(now / 256)
  }
  bytes[6] = (bytes[6]! & 0x0f) | 0x70
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = [...bytes].map((one) => one.toString(16).padStart(2, "0")).join("")
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")
}
