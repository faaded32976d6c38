// Paper forms as events: what a line becomes, with ids that are minted when the line is begun, so that what
// is sent twice is one.
import type { components } from "@/generated/api"

export type Checked = components["schemas"]["KeyedAnswer"]
export const FIELDS = [
  "name",
  "number",
  "birth_date",
  "phone",
  "building",
  "room",
  "barcode",
  "position",
  "time",
] as const
export type Field = (typeof FIELDS)[number]
export type Line = Record<Field, string> & {
  person: string
  event: string
  sure: boolean
}
export interface Head {
  actor: string
  round: string
  site: string
  capacity: number
  day: string
}
export interface Item {
  event: Record<string, unknown> & { id: string; type: string; subject: string }
  identity?: Record<string, unknown>
}
export interface Saved {
  people: number
  tubes: { tube: string; people: string[] }[]
}

/** A UUIDv7; also where the page did not come over TLS, which randomUUID asks for. */
export function mint(now = Date.now()): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  for (let n = 0; n < 6; n++) bytes[n] = Math.floor(now / 2 ** (40 - 8 * n)) % 256
  bytes[6] = (bytes[6]! & 0x0f) | 0x70
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = [...bytes].map((one) => one.toString(16).padStart(2, "0")).join("")
  return [8, 12, 16, 20, 32].map((to, n) => hex.slice([0, 8, 12, 16, 20][n], to)).join("-")
}

/** An empty line; the address is mostly that of the line before. */
export function blank(before?: Line): Line {
  const typed = Object.fromEntries(FIELDS.map((one) => [one, ""])) as Record<Field, string>
  if (before) Object.assign(typed, { building: before.building, barcode: before.barcode })
  return { ...typed, person: mint(), event: mint(), sure: false }
}

export const isTyped = (one: Line) =>
  FIELDS.some((field) => !["building", "barcode"].includes(field) && one[field].trim() !== "")

/** A time of a day as it was written, with or without a colon; else the present moment of that day. */
export function moment(day: string, time: string): string {
  const written = /^([01]?\d|2[0-3]):?([0-5]\d)$/.exec(time.trim())
  const at = new Date(`${day}T00:00:00`)
  const now = new Date()
  if (written) at.setHours(Number(written[1]), Number(written[2]))
  else at.setHours(now.getHours(), now.getMinutes(), now.getSeconds())
  return new Date(Math.min(at.getTime(), now.getTime())).toISOString()
}

function without<T extends object>(facts: T): T {
  return Object.fromEntries(
    Object.entries(facts).filter(([, value]) => value !== null && value !== undefined),
  ) as T
}

/** The people and tubes of some lines as an upload's items. `ids`: which tube a barcode is. */
export function items(
  lines: Line[],
  checked: Checked[],
  head: Head,
  ids: Record<string, { tube: string; event: string }>,
): Item[] {
  const made: Item[] = []
  const tubes = new Map<string, { at: string; members: { person: string; position: number }[] }>()
  lines.forEach((line, n) => {
    const told = checked[n]!
    const at = moment(head.day, line.time)
    made.push({
      event: {
        id: line.event,
        type: "ResidentListed",
        subject: line.person,
        device_at: at,
        actor: head.actor,
        body: without({
          source: "walk_in",
          building: told.building,
          room: told.room,
          birth_year: told.birth_year,
          sex: told.sex,
        }),
      },
      identity: without({
        name: told.name,
        kind: told.kind,
        number: told.number,
        phone: told.phone,
        birth_date: told.birth_date,
      }),
    })
    if (told.barcode && told.position) {
      const tube = tubes.get(told.barcode) ?? { at, members: [] }
      tube.members.push({ person: line.person, position: told.position })
      if (at > tube.at) tube.at = at
      tubes.set(told.barcode, tube)
    }
  })
  for (const [barcode, tube] of tubes) {
    const id = (ids[barcode] ??= { tube: mint(), event: mint() })
    made.push({
      event: {
        id: id.event,
        type: "TubeSealed",
        subject: id.tube,
        device_at: tube.at,
        actor: head.actor,
        body: {
          barcode,
          purpose: "round",
          capacity: head.capacity,
          round: head.round,
          site: head.site,
          members: tube.members.sort((a, b) => a.position - b.position),
        },
      },
    })
  }
  return made
}

/** What takes the swabs of the last save back: people stay listed. */
export function undoing(saved: Saved, actor: string, at: string): Item[] {
  return saved.tubes.flatMap(({ tube, people }) =>
    people.map((person) => ({
      event: {
        id: mint(),
        type: "SpecimenVoided",
        subject: tube,
        device_at: at,
        actor,
        body: { person, reason: "other" },
      },
    })),
  )
}
