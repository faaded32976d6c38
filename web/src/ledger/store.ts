// The browser's database of one device. Rows that say anything of people are encrypted before they come here
// (keys.ts); what stands open are numbers, states and times.
import Dexie, { type EntityTable, type Table } from "dexie"

/** saved: kept here; sent: on its way, unanswered; stored: the server's receipt is here; held: it has the
 * bytes and a person must look at them. */
export type State = "saved" | "sent" | "stored" | "held"

export interface OutboxRow {
  seq: number // the device's own counter: a gap in it is how a loss is noticed
  id: string
  type: string
  at: number // ms
  state: State
  sealed: Uint8Array<ArrayBuffer> | null // the item; dropped some time after the receipt
  bytes: number
  head?: number // the ledger's number when the receipt was given
  why?: string
  detail?: string
  inbox?: string
  settled?: number
}

/** A tube that is being filled. It becomes one event when it is sealed. */
export interface OpenTube {
  tube: string
  at: number
  sealed: Uint8Array<ArrayBuffer>
}

/** A part of the slice, encrypted with the data key. */
export interface SliceRow {
  part: string
  sealed: Uint8Array<ArrayBuffer>
}

/** Somebody who may hold this device: a key pair of theirs, its secret half under their PIN, and the data key
 * sealed to its public half. */
export interface Holder {
  login: string
  name: string | null
  salt: Uint8Array<ArrayBuffer>
  secret: Uint8Array<ArrayBuffer>
  open: Uint8Array<ArrayBuffer>
  sealed: Uint8Array<ArrayBuffer>
  at: number
}

/** A photo that the server does not have yet, by the hash of its bytes. */
export interface PhotoRow {
  hash: string
  at: number
  sealed: Uint8Array<ArrayBuffer>
}

export class Store extends Dexie {
  outbox!: EntityTable<OutboxRow, "seq">
  tubes!: EntityTable<OpenTube, "tube">
  slice!: EntityTable<SliceRow, "part">
  holders!: EntityTable<Holder, "login">
  photos!: EntityTable<PhotoRow, "hash">
  facts!: Table<unknown, string> // single values: the device, its tokens, counters, keys

  constructor(name = "muster-field", options?: ConstructorParameters<typeof Dexie>[1]) {
    super(name, options)
    this.version(1).stores({
      outbox: "seq, &id, state, settled",
      tubes: "tube",
      slice: "part",
      holders: "login",
      photos: "hash, at",
      facts: "",
    })
  }

  async fact<T>(name: string): Promise<T | undefined> {
    return (await this.facts.get(name)) as T | undefined
  }

  async keep(name: string, value: unknown): Promise<void> {
    await this.facts.put(value, name)
  }
}

/** Nothing more can be written: the phone is full, or gives this app no more room. */
export class StorageFull extends Error {}

/** Whether an error of the database says that there is no room. */
export function isFull(error: unknown): boolean {
  const inner = (error as { inner?: unknown } | null)?.inner ?? error
  const names = [(error as Error | null)?.name, (inner as Error | null)?.name]
  return names.includes("QuotaExceededError")
}
