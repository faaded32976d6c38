// The outbox: what was recorded on this device, from before it is shown as recorded until after the server's
// receipt. Nothing leaves it without one.
import { text, utf8 } from "./bytes"
import { decrypt, encrypt } from "./keys"
import { isFull, StorageFull, type OutboxRow, type State, type Store } from "./store"
import { uuid7 } from "./ids"
import type { Seen } from "./overlay"
import type { Fact, Item } from "./vocabulary"

/** How many rows there are in each state. `stored` counts since the device was enrolled. */
export type Counts = Record<State, number>

export interface Answer {
  id: string | null
  answer: "stored" | "known" | "held"
  why?: string
  detail?: string
  inbox?: string
}

const KEEP_STORED_MS = 7 * 86_400_000 // so that the phone can still show what it did this week

export class Outbox {
  constructor(
    private readonly store: Store,
    private readonly key: CryptoKey,
  ) {}

  /** Save facts, all or none, in one transaction; what was saved. Raises StorageFull: then nothing was. */
  async record(
    facts: readonly Fact[],
    sender: { actor: string; device: string },
    besides: () => Promise<unknown> = () => Promise.resolve(),
  ): Promise<Seen[]> {
    const at = Date.now()
    // Encrypting cannot be waited for within a transaction of IndexedDB: numbers are taken first, and a
    // number that was taken and not used is given back by the transaction that fails below.
    for (let turn = 0; ; turn++) {
      const first = ((await this.store.fact<number>("last_seq")) ?? 0) + 1
      const items = facts.map((fact, n) => item(fact, sender, at, first + n))
      const rows = await Promise.all(items.map((one) => this.row(one, at)))
      try {
        const taken = await this.store.transaction(
          "rw",
          [this.store.outbox, this.store.facts, this.store.tubes],
          async () => {
            const last = (await this.store.fact<number>("last_seq")) ?? 0
            if (last + 1 !== first) return true // another tab was faster
            await this.store.keep("last_seq", last + facts.length)
            await this.store.outbox.bulkAdd(rows)
            await besides()
            return false
          },
        )
        if (!taken) return items.map((one) => seen(one, at))
        if (turn > 20) throw new Error("the outbox is busy")
      } catch (error) {
        if (isFull(error)) throw new StorageFull()
        throw error
      }
    }
  }

  private async row(one: Item, at: number): Promise<OutboxRow> {
    const plain = utf8(JSON.stringify(one))
    const { id, type, device_seq: seq } = one.event
    const sealed = await encrypt(this.key, plain)
    return { seq, id, type, at, state: "saved", sealed, bytes: plain.length }
  }

  /** The item of a row, or null where its content has been dropped after its receipt. */
  async item(row: OutboxRow): Promise<Item | null> {
    return row.sealed && (JSON.parse(text(await decrypt(this.key, row.sealed))) as Item)
  }

  /** What is to be sent next, what may already be there first, then the oldest: at most `items` rows of at
   * most `bytes` together, but one at least. */
  async waiting(items: number, bytes: number, but: ReadonlySet<number>): Promise<OutboxRow[]> {
    const found: OutboxRow[] = []
    let size = 0
    for (const state of ["sent", "saved"] as const) {
      const rows = await this.store.outbox
        .where("state")
        .equals(state)
        .filter((row) => !but.has(row.seq))
        .limit(items - found.length)
        .toArray()
      for (const row of rows) {
        if (found.length && size + row.bytes > bytes) return found
        found.push(row)
        size += row.bytes
      }
    }
    return found
  }

  async unsent(): Promise<number> {
    return this.store.outbox.where("state").anyOf("saved", "sent").count()
  }

  async counts(): Promise<Counts> {
    const of = (state: State) => this.store.outbox.where("state").equals(state).count()
    const [saved, sent, held, stored] = await Promise.all([
      of("saved"),
      of("sent"),
      of("held"),
      of("stored"),
    ])
    const dropped = (await this.store.fact<number>("dropped")) ?? 0
    return { saved, sent, held, stored: stored + dropped }
  }

  /** They are on their way. */
  async sending(seqs: readonly number[]): Promise<void> {
    const sent = seqs.map((key) => ({ key, changes: { state: "sent" as const } }))
    await this.store.outbox.bulkUpdate(sent)
  }

  /** One answer per row, in order, and the ledger's number at the time. Rows without an answer stay. */
  async settle(
    rows: readonly OutboxRow[],
    answers: readonly Answer[],
    head: number,
  ): Promise<void> {
    const settled = Date.now()
    const changes = rows.flatMap((row, n) => {
      const answer = answers[n]
      if (!answer || (answer.id !== null && answer.id !== row.id)) return []
      const { why, detail, inbox } = answer
      const found =
        answer.answer === "held"
          ? { state: "held" as const, settled, head, why, detail, inbox }
          : { state: "stored" as const, settled, head }
      return [{ key: row.seq, changes: found }]
    })
    await this.store.outbox.bulkUpdate(changes) // all at once: one by one a part of hundreds takes long
  }

  /** Events that a slice read at `head` does not show yet, decrypted. */
  async beyond(head: number): Promise<Seen[]> {
    const rows = await this.store.outbox
      .filter((row) => row.sealed !== null && !(row.state === "stored" && (row.head ?? 0) <= head))
      .toArray()
    const items = await Promise.all(rows.map((row) => this.item(row)))
    return items.flatMap((one, n) => (one ? [seen(one, rows[n]!.at)] : []))
  }

  /** What was recorded here since a moment, with what became of it, as far as it is still kept. */
  async since(at: number): Promise<(Seen & { state: State })[]> {
    const rows = await this.store.outbox
      .filter((row) => row.at >= at && row.sealed !== null)
      .toArray()
    const items = await Promise.all(rows.map((row) => this.item(row)))
    return items.flatMap((one, n) =>
      one ? [{ ...seen(one, rows[n]!.at), state: rows[n]!.state }] : [],
    )
  }

  /** What is held and what was done lately, newest first. */
  async lately(most: number): Promise<OutboxRow[]> {
    return this.store.outbox.orderBy("seq").reverse().limit(most).toArray()
  }

  async held(): Promise<OutboxRow[]> {
    return this.store.outbox.where("state").equals("held").toArray()
  }

  /** Drop rows whose receipt is old, or all that have one where room is short. Rows without stay. */
  async prune(before = Date.now() - KEEP_STORED_MS): Promise<number> {
    return this.store.transaction("rw", this.store.outbox, this.store.facts, async () => {
      const old = this.store.outbox
        .where("settled")
        .below(before)
        .filter((row) => row.state === "stored")
      const n = await old.delete()
      if (n) await this.store.keep("dropped", ((await this.store.fact<number>("dropped")) ?? 0) + n)
      return n
    })
  }
}

function item(
  fact: Fact,
  sender: { actor: string; device: string },
  at: number,
  seq: number,
): Item {
  const { type, subject, body, cause } = fact
  const envelope = {
    id: fact.id ?? uuid7(at),
    type,
    subject,
    device_at: new Date(at).toISOString(),
    ...sender,
    device_seq: seq,
    body,
  }
  return {
    event: cause ? { ...envelope, cause } : envelope,
    ...(fact.identity && { identity: fact.identity }),
    ...(fact.note && { note: fact.note }),
  }
}

/** An item as the overlay reads it. */
export function seen(one: Item, at: number): Seen {
  const { id, type, subject, body, cause, device_seq: seq } = one.event
  return { id, type, subject, at, seq, body, cause, name: one.identity?.name }
}
