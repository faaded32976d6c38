// What the server gave this device to work with: the places it works at, who lives there, who was swabbed. It
// lies encrypted in the browser's database and open in memory for as long as somebody has unlocked it. Thrown
// away and fetched again without loss.
import { hmac } from "@noble/hashes/hmac.js"
import { sha256 } from "@noble/hashes/sha2.js"

import { fromHex, text, toHex, utf8 } from "./bytes"
import { numberOf, readCode } from "./codes"
import { decrypt, encrypt } from "./keys"
import type { Server } from "./server"
import { isFull, StorageFull, type Store } from "./store"

export interface Round {
  id: string
  name: string
  starts_at: string
  ends_at: string
}
export interface Site {
  id: string
  code: string
  name: string
  area: string
  lanes: number
  open: boolean
}
export interface SliceBox {
  id: string
  code: string
  kind: string
  bound_for: string | null
  site: string | null
  tubes: string[]
  bags: string[]
  packed_at: string
  with: string | null // `site:…`, `vehicle:…`, `lab:…`
}
/** Labels a site was given, both ends included. */
export interface LabelRange {
  kind: string
  first: string
  last: string
  site: string
}
export type AreaRow = [
  id: string,
  parent: number | string | null,
  code: string,
  name: string,
  level: string,
  floors?: number | null,
  lift?: boolean | null,
]
/** Somebody to be swabbed again, singly: the re-test is of `tube`. */
export interface Recall {
  id: string
  tube: string
  barcode: string | null
  person: string
  ordered_at: string
  stage: string
}
/** An area whose missing the holder is to go to. */
export interface Way {
  task: string
  area: string
  round: string
  due_at: string
  state: string
}
export interface CalledBuilding {
  building: string
  round: string
  to_site: string | null
  called_at: string
  called_by: string
}
export interface Format {
  kind: string
  pattern: string
  check: string
  capacity: number | null
  [more: string]: unknown
}
export interface Place {
  kind: "site" | "area" | "lab" | null
  id: string | null
  code: string | null
  name: string | null
}
/** All of the slice but its people. */
export interface Head {
  as_of: string
  seq: number
  basis: string // what changes are told against; another one, and the whole is given
  place: Place
  holder: { login: string; name: string | null; roles: string[]; rights: string[] }
  device: { id: string; code: string }
  salt: string
  hash_bytes: number
  rounds: Round[]
  tube: { size: number; household: boolean }
  sites: Site[]
  labs: { lab: string; name: string }[]
  areas: AreaRow[]
  formats: Format[]
  labels: LabelRange[]
  policies?: Record<string, number>
  boxes: SliceBox[]
  recalls?: Recall[]
  ways?: Way[]
  calls?: CalledBuilding[]
  too_many?: number | null
  [more: string]: unknown
}
interface Answer extends Head {
  whole: boolean
  people: { columns: string[]; rows: unknown[][] } | null
  gone: string[]
}
export interface Person {
  id: string
  name: string
  pinyin: string
  initials: string
  building: number
  room: string | null
  birthYear: number | null
  sex: string | null
  state: string
  phoneTail: string | null
  numberHash: string | null
  swabbedAt: number | null // s
  stance: string | null
  recall: string | null
  visit?: string | null
  visitedAt?: number | null // s
  againAt?: number | null // s
  askedHome?: string | null // why, while they wait to be swabbed at home
}

const CHUNK = 2_000
const AT_ONCE = 200 // people: some ms of a slow phone
const MOST_FOUND = 40
const CALL_MS = 120_000 // a whole slice over a slow line

export class Slice {
  head: Head | null = null
  private chunks: Person[][] = []
  private at = new Map<string, Person>()
  private byHash: Map<string, Person> | null = null
  private byCode: Map<bigint, string[]> | null = null // ids; it outlives changes
  private needles: { person: Person; hay: string }[] | null = null
  private hays = new WeakMap<Person, string>() // who has not changed need not be read again

  constructor(
    private readonly store: Store,
    private readonly server: Server,
    private readonly key: CryptoKey,
  ) {}

  get size(): number {
    return this.at.size
  }

  person(id: string): Person | undefined {
    return this.at.get(id)
  }

  *people(): Iterable<Person> {
    for (const chunk of this.chunks) yield* chunk
  }

  /** Read what is kept; false where there is nothing. */
  async load(): Promise<boolean> {
    const rows = await this.store.slice.toArray()
    const head = rows.find((row) => row.part === "head")
    if (!head) return false
    const read = async (sealed: Uint8Array<ArrayBuffer>) =>
      JSON.parse(text(await decrypt(this.key, sealed))) as unknown
    this.head = (await read(head.sealed)) as Head
    const parts = rows.filter((row) => row.part !== "head")
    parts.sort((a, b) => Number(a.part) - Number(b.part))
    this.renew((await Promise.all(parts.map((row) => read(row.sealed)))) as Person[][])
    this.index()
    return true
  }

  /** Ask for the whole slice, or what has changed of it. Raises what the server's asking raises. */
  async refresh(): Promise<"whole" | "changes"> {
    const kept = await this.store.fact<{ seq: number }>("slice")
    if (kept && kept.seq !== this.head?.seq) await this.load() // another tab was faster
    const { seq, basis, too_many } = this.head ?? {}
    const since = basis && !too_many ? `?since=${seq}&basis=${basis}` : ""
    const answer = await this.server.ask<Answer>(`/v1/slice${since}`, { timeoutMs: CALL_MS })
    const { people, gone, whole, ...head } = answer
    const dirty = new Set<number>()
    if (whole)
      this.renew(chunked(people ? people.rows.map((row) => asPerson(people.columns, row)) : []))
    else this.change(people, gone, dirty)
    this.head = head
    if (whole || dirty.size) this.index()
    await this.keep(whole ? null : dirty)
    return whole ? "whole" : "changes"
  }

  private renew(chunks: Person[][]): void {
    this.chunks = chunks
    this.byCode = null
    this.hays = new WeakMap()
  }

  private change(people: Answer["people"], gone: string[], dirty: Set<number>): void {
    const where = new Map<string, number>()
    this.chunks.forEach((chunk, n) => chunk.forEach((one) => where.set(one.id, n)))
    const drop = new Set(gone)
    for (const id of gone) if (where.has(id)) dirty.add(where.get(id)!)
    for (const n of dirty) this.chunks[n] = this.chunks[n]!.filter((one) => !drop.has(one.id))
    for (const row of people?.rows ?? []) {
      const one = asPerson(people!.columns, row)
      const n = where.get(one.id)
      if (n !== undefined) {
        this.chunks[n] = this.chunks[n]!.map((old) => (old.id === one.id ? one : old))
        dirty.add(n)
      } else {
        if (!this.chunks.length || this.chunks.at(-1)!.length >= CHUNK) this.chunks.push([])
        this.chunks.at(-1)!.push(one)
        dirty.add(this.chunks.length - 1)
        if (this.byCode) addCode(this.byCode, one.id)
      }
    }
  }

  private async keep(dirty: Set<number> | null): Promise<void> {
    const seal = async (part: string, what: unknown) => ({
      part,
      sealed: await encrypt(this.key, utf8(JSON.stringify(what))),
    })
    const parts = this.chunks.flatMap((chunk, n) =>
      dirty && !dirty.has(n) ? [] : [seal(String(n), chunk)],
    )
    const rows = await Promise.all([seal("head", this.head), ...parts])
    try {
      await this.store.transaction("rw", this.store.slice, this.store.facts, async () => {
        if (!dirty) await this.store.slice.clear()
        await this.store.slice.bulkPut(rows)
        await this.store.keep("slice", { seq: this.head?.seq })
      })
    } catch (error) {
      if (isFull(error)) throw new StorageFull()
      throw error
    }
  }

  private index(): void {
    this.at = new Map()
    for (const one of this.people()) this.at.set(one.id, one)
    this.byHash = this.needles = null
  }

  areaName(building: number): string {
    return this.head?.areas[building]?.[3] ?? ""
  }

  /** Whose document number this may be, by the truncated hash: a convenience, never a proof. */
  byNumber(canonical: string): Person | undefined {
    if (!this.head) return undefined
    if (!this.byHash) {
      this.byHash = new Map()
      for (const one of this.people()) if (one.numberHash) this.byHash.set(one.numberHash, one)
    }
    const { salt, hash_bytes } = this.head
    const hash = hmac(sha256, fromHex(salt), utf8(canonical)).subarray(0, hash_bytes)
    return this.byHash.get(toHex(hash))
  }

  /** Whose printed code this is: hardly ever more than one. Raises CodeMistyped. */
  byPersonalCode(code: string): Person[] {
    const { number, id } = readCode(code)
    if (id) {
      const one = this.at.get(id)
      return one ? [one] : []
    }
    if (!this.byCode) {
      this.byCode = new Map()
      for (const one of this.people()) addCode(this.byCode, one.id)
    }
    const ids = this.byCode.get(number) ?? []
    return ids.flatMap((one) => this.at.get(one) ?? [])
  }

  /** Work out everybody's code before the first is scanned, a little at a time: it takes a slow phone a second.
   * Given up where the people change meanwhile. */
  async prepare(): Promise<void> {
    const { at } = this
    if (this.byCode) return
    const codes = new Map<bigint, string[]>()
    const ids = [...at.keys()]
    for (let n = 0; n < ids.length; n += AT_ONCE) {
      for (const id of ids.slice(n, n + AT_ONCE)) addCode(codes, id)
      await new Promise((rested) => setTimeout(rested))
      if (this.at !== at) return
    }
    this.byCode = codes
  }

  /** People by the beginning of a name, of its pinyin or initials, a room, a building, the last digits of a
   * phone; several words must all fit. Best first, at most forty. */
  search(words: string): Person[] {
    const asked = words.toLowerCase().normalize("NFKC").split(/\s+/).filter(Boolean)
    if (!asked.length) return []
    this.needles ??= [...this.people()].map((person) => ({ person, hay: this.hay(person) }))
    const marked = asked.map((word) => `\u0001${word}`)
    const found: { person: Person; rank: number }[] = []
    for (const { person, hay } of this.needles) {
      let rank = 0
      let fits = true
      for (const [n, word] of marked.entries()) {
        if (hay.includes(word)) rank += hay.startsWith(word) ? 0 : 1
        else if (asked[n]!.length > 1 && hay.includes(asked[n]!)) rank += 3
        else {
          fits = false
          break
        }
      }
      if (fits) found.push({ person, rank })
    }
    found.sort(
      (a, b) =>
        a.rank - b.rank ||
        a.person.name.length - b.person.name.length ||
        a.person.building - b.person.building,
    )
    return found.slice(0, MOST_FOUND).map((one) => one.person)
  }

  private hay(one: Person): string {
    const known = this.hays.get(one)
    if (known !== undefined) return known
    const fields = [
      one.name,
      one.pinyin,
      one.initials,
      one.room ?? "",
      one.phoneTail ?? "",
      this.areaName(one.building),
    ]
    const hay = fields.map((field) => `\u0001${field.toLowerCase()}`).join("")
    this.hays.set(one, hay)
    return hay
  }
}

function addCode(codes: Map<bigint, string[]>, id: string): void {
  const key = numberOf(id)
  const there = codes.get(key)
  if (!there) codes.set(key, [id])
  else if (!there.includes(id)) there.push(id)
}

function chunked(people: Person[]): Person[][] {
  const chunks: Person[][] = []
  for (let n = 0; n < people.length; n += CHUNK) chunks.push(people.slice(n, n + CHUNK))
  return chunks
}

const FIELDS: Record<string, keyof Person> = {
  birth_year: "birthYear",
  phone_tail: "phoneTail",
  number_hash: "numberHash",
  swabbed_at: "swabbedAt",
  visited_at: "visitedAt",
  again_at: "againAt",
  asked_home: "askedHome",
}

function asPerson(columns: string[], row: unknown[]): Person {
  const person: Record<string, unknown> = {}
  columns.forEach((column, n) => (person[FIELDS[column] ?? column] = row[n]))
  for (const name of ["name", "pinyin", "initials"]) person[name] ??= "" // somebody nobody has named
  return person as unknown as Person
}
