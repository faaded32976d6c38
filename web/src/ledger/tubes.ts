// The tube that is being filled. It lives here, encrypted like the outbox, from the first scan; sealing makes
// one event of it, with all who are in it, in the same transaction that ends the draft.
import { text, utf8 } from "./bytes"
import { uuid7 } from "./ids"
import { decrypt, encrypt } from "./keys"
import type { Outbox } from "./outbox"
import type { Seen } from "./overlay"
import { isFull, type OpenTube, StorageFull, type Store } from "./store"
import { held } from "./tabs"
import type { Fact, Member, Purpose, TubeFacts } from "./vocabulary"

export type Over = "household" | "instructed" | "mistake" | "other"
export interface Swab extends Member {
  at: number
  id: string // of the SpecimenTaken that says so where the tube cannot be sealed here
  swabbed: boolean // registered first and not swabbed yet: false
}
export interface Draft {
  tube: string
  openedAt: number
  openedId: string
  facts: Omit<TubeFacts, "barcode"> & { barcode: string | null }
  household: boolean
  swabs: Swab[]
  over?: Over
  reopens?: string // the event of the seal that is opened again
}

/** A tube in this tab's hand. */
export interface Claim {
  draft: Draft
  letGo: () => void
}

export class TubeFull extends Error {}
export class AlreadyIn extends Error {
  constructor(readonly position: number) {
    super()
  }
}
export class NoBarcode extends Error {}
export class NotSwabbed extends Error {
  constructor(readonly positions: number[]) {
    super()
  }
}

export class Tubes {
  constructor(
    private readonly store: Store,
    private readonly outbox: Outbox,
    private readonly key: CryptoKey,
  ) {}

  /** The tubes that stand open on this device, the oldest first. */
  async open(): Promise<Draft[]> {
    const rows = await this.store.tubes.toArray()
    const drafts = await Promise.all(rows.map((row) => this.read(row)))
    return drafts.sort((a, b) => a.openedAt - b.openedAt)
  }

  private async read(row: OpenTube): Promise<Draft> {
    return JSON.parse(text(await decrypt(this.key, row.sealed))) as Draft
  }

  /** A tube that stands open, for this tab alone until it is let go: the one asked for, else the last that
   * somebody is in or that has its label, else an empty one. Null where another tab has them all. */
  async claim(tube?: string): Promise<Claim | null> {
    const open = (await this.open()).reverse()
    const begun = open.filter((one) => one.swabs.length || one.facts.barcode)
    const wanted = tube
      ? open.filter((one) => one.tube === tube)
      : [...begun, ...open.filter((one) => !begun.includes(one))]
    for (const one of wanted) {
      const letGo = await held(lockOf(one.tube))
      const now = letGo && (await this.store.tubes.get(one.tube)) // another tab may have had it until now
      if (now) return { draft: await this.read(now), letGo }
      letGo?.()
    }
    return null
  }

  /** A new tube, in this tab's hand before it is saved: no other can take it up. Raises StorageFull. */
  async begin(
    facts: { capacity: number; purpose: Purpose; household: boolean } & Partial<TubeFacts>,
  ): Promise<Claim> {
    const { household, ...rest } = facts
    const draft: Draft = {
      tube: uuid7(),
      openedAt: Date.now(),
      openedId: uuid7(),
      facts: { ...rest, barcode: rest.barcode ?? null },
      household,
      swabs: [],
    }
    const letGo = (await held(lockOf(draft.tube)))! // nobody else knows its id
    try {
      return { draft: await this.keep(draft), letGo }
    } catch (error) {
      letGo()
      throw error
    }
  }

  /** Save a draft as it now is. What is shown is what this gives back. Raises StorageFull. */
  async keep(draft: Draft): Promise<Draft> {
    const sealed = await encrypt(this.key, utf8(JSON.stringify(draft)))
    try {
      await this.store.tubes.put({ tube: draft.tube, at: draft.openedAt, sealed })
    } catch (error) {
      if (isFull(error)) throw new StorageFull()
      throw error
    }
    return draft
  }

  /** Put a person in. More than fit need a reason, which goes into the seal. Raises AlreadyIn, TubeFull. */
  async take(draft: Draft, person: string, how: { swabbed: boolean; over?: Over }): Promise<Draft> {
    const there = draft.swabs.find((one) => one.person === person)
    if (there) throw new AlreadyIn(there.position)
    if (draft.swabs.length >= draft.facts.capacity && !(how.over ?? draft.over))
      throw new TubeFull()
    const position = Math.max(0, ...draft.swabs.map((one) => one.position)) + 1
    const swab = { person, position, at: Date.now(), id: uuid7(), swabbed: how.swabbed }
    return this.keep({
      ...draft,
      swabs: [...draft.swabs, swab],
      ...(draft.swabs.length >= draft.facts.capacity && { over: how.over ?? draft.over }),
    })
  }

  /** Take a person out of an open tube; those behind move up only where nobody has been swabbed yet: a
   * position that was spoken stays. */
  async drop(draft: Draft, person: string): Promise<Draft> {
    const gone = draft.swabs.find((one) => one.person === person)
    let swabs = draft.swabs.filter((one) => one.person !== person)
    if (gone && swabs.every((one) => !one.swabbed))
      swabs = swabs.map((one) =>
        one.position > gone.position ? { ...one, position: one.position - 1 } : one,
      )
    const over = swabs.length > draft.facts.capacity ? draft.over : undefined
    return this.keep({ ...draft, swabs, over })
  }

  async forget(draft: Draft): Promise<void> {
    await this.store.tubes.delete(draft.tube)
  }

  /** Seal it: one event, saved before the draft ends. Raises NoBarcode, NotSwabbed, StorageFull. */
  async seal(draft: Draft, sender: { actor: string; device: string }): Promise<Seen[]> {
    const { barcode } = draft.facts
    if (!barcode) throw new NoBarcode()
    const missing = draft.swabs.filter((one) => !one.swabbed)
    if (missing.length) throw new NotSwabbed(missing.map((one) => one.position))
    const fact: Fact = {
      type: "TubeSealed",
      subject: draft.tube,
      body: {
        ...tidy({ ...draft.facts, barcode }),
        members: draft.swabs.map(({ person, position }) => ({ person, position })),
        ...(draft.over && { over: draft.over }),
      },
      cause: draft.reopens,
    }
    return this.outbox.record([fact], sender, () => this.store.tubes.delete(draft.tube))
  }
}

const lockOf = (tube: string) => `muster-tube-${tube}`

/** The events that tell of a tube that could not be sealed here: for another device to go on with. Their
 * ids were minted with the draft, so that telling twice is once. */
export function asFacts(draft: Draft): Fact[] {
  if (!draft.facts.barcode || draft.reopens) return []
  const opened: Fact = {
    id: draft.openedId,
    type: "TubeOpened",
    subject: draft.tube,
    body: tidy({ ...draft.facts, barcode: draft.facts.barcode }),
  }
  const taken = draft.swabs
    .filter((one) => one.swabbed)
    .map(({ id, person, position }) => ({
      id,
      type: "SpecimenTaken",
      subject: draft.tube,
      body: { person, position },
    }))
  return [opened, ...taken]
}

function tidy(facts: TubeFacts): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(facts).filter(([, value]) => value !== undefined && value !== null),
  )
}
