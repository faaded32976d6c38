// One device's ledger: everything of this folder put together. Pages ask it and are told of changes; they
// never touch the database or the server themselves.
import { asFacts, Tubes, type Draft } from "./tubes"
import { frames, parts, sealQueue, type ServerKey } from "./carry"
import { addHolder, dataKey, deviceKey, unlock, Wiped, wipeSlice } from "./keys"
import { Notes, type Note } from "./notes"
import { overlay, type Overlay, type Seen } from "./overlay"
import { Outbox, type Counts } from "./outbox"
import { Photos } from "./photos"
import { NoAnswer, type Receipt, Refused, REVOKED, Server, type Tokens } from "./server"
import { Slice } from "./slice"
import { StorageFull, Store, type Holder } from "./store"
import { Sync, type Progress } from "./sync"
import { locked } from "./tabs"
import type { Fact } from "./vocabulary"

const FRESH_MS = 60_000
const CHANNEL = "muster-field"
const NOTHING = "00000000-0000-0000-0000-000000000000"

export interface Status {
  counts: Counts
  photos: number // that the server does not have yet
  progress: Progress
  offset: number | null
  asOf: string | null
  room: { used: number; quota: number } | null
  revoked: boolean
  refused: string // what the server said when it would not give the slice
}

export class Ledger {
  readonly outbox: Outbox
  readonly tubes: Tubes
  readonly notes: Notes
  readonly photos: Photos
  readonly sync: Sync
  slice: Slice | null = null
  holder: Holder | null = null
  status: Status = {
    counts: { saved: 0, sent: 0, stored: 0, held: 0 },
    photos: 0,
    progress: { trouble: null, said: "", nextAt: null, lastAt: null, sending: false },
    offset: null,
    asOf: null,
    room: null,
    revoked: false,
    refused: "",
  }
  over: Overlay = overlay([])
  private events: Seen[] = []
  private recorded = 0 // how often something was: what was read before is then out of date
  private untold: { login: string; pin: string } | null = null // the server does not know who holds it
  private raw: Uint8Array<ArrayBuffer> | null = null
  private readonly listeners = new Set<() => void>()
  private readonly channel =
    typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(CHANNEL)
  private telling: Promise<void> | null = null
  private uncounted = false // something has changed since the counting began
  private refreshed = 0

  private constructor(
    readonly store: Store,
    readonly server: Server,
    private readonly key: CryptoKey,
  ) {
    this.outbox = new Outbox(store, key)
    this.tubes = new Tubes(store, this.outbox, key)
    this.notes = new Notes(store, key)
    this.photos = new Photos(store, key, server, () => this.tell())
    const changed = (receipt?: Receipt) => {
      if (receipt) void this.settled(receipt)
      this.tell()
    }
    this.sync = new Sync(store, this.outbox, server, changed, () => this.photos.send())
    this.channel?.addEventListener("message", () => void this.reread())
  }

  static async open(store = new Store(), server = new Server(store)): Promise<Ledger> {
    const ledger = new Ledger(store, server, await deviceKey(store))
    await ledger.count()
    return ledger
  }

  close(): void {
    this.sync.end()
    this.channel?.close()
    this.store.close()
  }

  // --- who

  async device(): Promise<Tokens | undefined> {
    return this.server.tokens()
  }

  async enrol(code: string): Promise<Tokens> {
    const tokens = await this.server.claim(code)
    await this.learnKey()
    if (typeof navigator !== "undefined") await navigator.storage?.persist?.()
    return tokens
  }

  /** The key that queues are sealed to; asked for until it is known. */
  private async learnKey(): Promise<void> {
    if (await this.store.fact("queue_key")) return
    const key = await this.server.json<ServerKey>("/v1/queue-key").catch(() => null)
    if (key) await this.store.keep("queue_key", key)
  }

  holders(): Promise<Holder[]> {
    return this.store.holders.orderBy("login").toArray()
  }

  /** Somebody has set a PIN at the server and holds the device now. */
  async join(who: { login: string; name: string | null }, pin: string): Promise<void> {
    this.raw = await addHolder(this.store, this.key, who, pin, this.raw)
    await this.opened(who.login)
  }

  /** Raises WrongPin, Wiped. Works without a network; the server is told who holds the device when it can be. */
  async unlock(login: string, pin: string): Promise<void> {
    this.raw = await unlock(this.store, this.key, login, pin)
    await this.opened(login)
    this.untold = { login, pin }
    void this.refresh()
  }

  /** Who holds the device now decides what the server gives it. */
  private async takeOver(): Promise<void> {
    const { untold } = this
    if (!untold) return
    await this.server.authorised("/v1/device/holder", { body: untold })
    if (this.untold === untold) this.untold = null
  }

  private async opened(login: string): Promise<void> {
    this.holder = (await this.store.holders.get(login)) ?? null
    this.slice = new Slice(this.store, this.server, await dataKey(this.raw!))
    await this.slice.load().catch(() => false) // what cannot be read is fetched again
    void this.slice.prepare()
    await this.reread()
  }

  /** Nobody sees anything until the next PIN. */
  lock(): void {
    this.slice = this.holder = this.raw = this.untold = null
    this.events = []
    this.over = overlay([])
    this.tell()
  }

  // --- what is recorded

  /** Save facts, and what a page then knows with them. When this returns they are kept; raises StorageFull,
   * and then nothing is. */
  async record(facts: readonly Fact[], note?: Note): Promise<Seen[]> {
    if (!note) return this.took(() => this.outbox.record(facts, this.sender()))
    const sealed = await this.notes.sealed(note)
    const keep = () => this.notes.put(note.name, sealed)
    return this.took(() => this.outbox.record(facts, this.sender(), keep))
  }

  async seal(draft: Draft): Promise<Seen[]> {
    return this.took(() => this.tubes.seal(draft, this.sender()))
  }

  private async took(work: () => Promise<Seen[]>): Promise<Seen[]> {
    const made = await this.withRoom(work)
    this.recorded++
    this.events = [...this.events, ...made]
    this.over = overlay(this.events)
    this.tell() // it is kept: nobody waits for it to be counted
    this.channel?.postMessage("recorded")
    void this.sync.wake()
    return made
  }

  /** Where there is no room, what can be had again is dropped: receipts, then the slice. */
  async withRoom<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof StorageFull)) throw error
    }
    await this.outbox.prune(Date.now())
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof StorageFull)) throw error
    }
    await this.store.slice.clear()
    await this.store.facts.delete("slice")
    return work()
  }

  private sender(): { actor: string; device: string } {
    if (!this.holder || !this.deviceCode) throw new Wiped()
    return { actor: this.holder.login, device: this.deviceCode }
  }

  private deviceCode: string | null = null

  // --- what is seen

  /** What was recorded here and the slice does not show yet. */
  get unseen(): readonly Seen[] {
    return this.events
  }

  /** Read what another tab or the sync has changed. */
  async reread(): Promise<void> {
    this.deviceCode = (await this.device())?.code ?? null
    for (let read = -1; this.slice && read !== this.recorded;) {
      read = this.recorded
      const events = await this.outbox.beyond(this.slice.head?.seq ?? 0)
      if (read === this.recorded && this.slice) {
        this.events = events
        this.over = overlay(events)
      }
    }
    await this.count()
  }

  /** Ask for what has changed, unless that was done just now. A locked phone asks only whether it is still
   * to be trusted with what it has. */
  async refresh(force = true): Promise<void> {
    if (!force && Date.now() - this.refreshed < FRESH_MS) return
    const { slice } = this
    if (!(await this.device())) return
    try {
      if (slice) {
        await this.takeOver()
        await locked("muster-slice", () => this.withRoom(() => slice.refresh()))
        void slice.prepare()
      } else await this.server.authorised(`/v1/receipts?id=${NOTHING}`)
      this.refreshed = Date.now()
      await this.learnKey()
      this.status = { ...this.status, revoked: false, refused: "" }
    } catch (error) {
      this.heard(error)
    }
    await this.reread()
  }

  private heard(error: unknown): void {
    if (error instanceof NoAnswer || error instanceof StorageFull) return
    if (error instanceof Refused) {
      if (error.slug === REVOKED) void this.revoked()
      else this.status = { ...this.status, refused: error.detail }
      return
    }
    throw error
  }

  /** The slice goes, the queue stays: it is still sent. */
  private async revoked(): Promise<void> {
    this.refreshed = Date.now()
    await wipeSlice(this.store)
    this.lock()
    this.status = { ...this.status, revoked: true }
    this.tell()
    void this.sync.wake()
  }

  /** What somebody is called, as far as this phone knows. */
  nameOf(person: string): string | null {
    const listed = this.slice?.person(person)?.name
    return listed ?? this.events.find((one) => one.subject === person && one.name)?.name ?? null
  }

  /** Open a tube again that was sealed here and is not in a bag or box yet. */
  async reopen(tube: string): Promise<Draft> {
    const sealed = this.over.tubes.get(tube)
    if (!sealed?.seal || !sealed.barcode) throw new Gone()
    const at = Date.now()
    return this.tubes.keep({
      tube,
      openedAt: at,
      openedId: "",
      facts: {
        barcode: sealed.barcode,
        purpose: sealed.purpose!,
        capacity: sealed.capacity!,
        round: sealed.round,
        site: sealed.site,
        lane: sealed.lane,
        retest_of: sealed.retest_of,
      },
      household: false,
      swabs: sealed.members.map((one) => ({ ...one, at, id: "", swabbed: true })),
      reopens: sealed.seal,
    })
  }

  /** Take a person out of an open tube. Of one that was sealed before, the ledger has to be told. */
  async takeOut(draft: Draft, person: string, reason: string): Promise<Draft> {
    if (draft.reopens)
      await this.record([{ type: "SpecimenVoided", subject: draft.tube, body: { person, reason } }])
    return this.tubes.drop(draft, person)
  }

  /** A receipt has come: other tabs look, and whoever was revoked learns it from it. */
  private async settled({ answers }: Receipt): Promise<void> {
    this.channel?.postMessage("settled")
    if (answers.some((one) => one.why === "device-was-revoked")) await this.revoked()
  }

  // --- carrying

  /** What has no receipt, and the tubes that stand open, sealed to the server: a file's parts. Raises NoKey
   * where the device has never been connected since it was enrolled. */
  async export(): Promise<Uint8Array<ArrayBuffer>[]> {
    const [tokens, key] = [await this.device(), await this.store.fact<ServerKey>("queue_key")]
    if (!tokens || !key) throw new NoKey()
    await this.tellOpen()
    const files: Uint8Array<ArrayBuffer>[] = []
    for await (const [, items] of parts(this.outbox))
      files.push(
        await sealQueue(key, {
          token: tokens.token,
          device: tokens.code,
          offset_ms: this.server.offset ?? 0,
          items,
        }),
      )
    return files
  }

  async exportFrames(name: string): Promise<string[]> {
    const files = await this.export()
    return files.flatMap((one, n) => frames(one, files.length > 1 ? `${name}-${n + 1}` : name))
  }

  /** Hand in a queue that was carried here. Raises NoAnswer, Refused. */
  async handIn(sealed: Uint8Array<ArrayBuffer>): Promise<{ device: string; items: number }> {
    const headers = { "content-type": "application/octet-stream" }
    const answer = await this.server.authorised("/v1/queues", { raw: sealed, headers })
    return (await answer.json()) as { device: string; items: number }
  }

  /** Record the tubes that stand open as far as they are, once. */
  private async tellOpen(): Promise<void> {
    if (!this.holder) return
    const facts = (await this.tubes.open()).flatMap(asFacts)
    const known = new Set((await this.store.outbox.toArray()).map((row) => row.id))
    const fresh = facts.filter((one) => !known.has(one.id!))
    if (fresh.length) await this.outbox.record(fresh, this.sender())
  }

  // --- telling

  listen(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  private tell(): void {
    this.status = {
      ...this.status,
      progress: this.sync?.progress ?? this.status.progress,
      offset: this.server.offset,
      asOf: this.slice?.head?.as_of ?? null,
    }
    for (const one of this.listeners) one()
    // Counting reads the database: many changes at once are counted once, and those that come meanwhile too.
    if (this.telling) this.uncounted = true
    else this.telling = this.countAll().finally(() => (this.telling = null))
  }

  private async countAll(): Promise<void> {
    do {
      this.uncounted = false
      await this.count()
    } while (this.uncounted)
  }

  private async count(): Promise<void> {
    const counts = await this.outbox.counts()
    const room = (await navigator?.storage?.estimate?.().catch(() => null)) ?? null
    this.status = {
      ...this.status,
      counts,
      photos: await this.photos.count(),
      room: room && { used: room.usage ?? 0, quota: room.quota ?? 0 },
      offset: this.server.offset,
      progress: this.sync.progress,
      asOf: this.slice?.head?.as_of ?? null,
    }
    for (const one of this.listeners) one()
  }
}

/** The tube is not one that this phone can open again. */
export class Gone extends Error {}
/** The server's key is not known here: the device has to be connected once. */
export class NoKey extends Error {}
