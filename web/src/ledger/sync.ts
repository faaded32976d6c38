// Sends the outbox, in small parts, for as long as it takes: one tab at a time, with a growing pause after a
// failure, and never a record dropped without a receipt. One that the server cannot take does not keep back
// the others.
import { canGzip } from "./bytes"
import type { Outbox } from "./outbox"
import { NoAnswer, type Receipt, Refused, type Server } from "./server"
import type { OutboxRow, Store } from "./store"
import { locked } from "./tabs"

const ITEMS = 500
// Before it is packed, which leaves a fourth of a tube's bytes: what goes over the line is no more than 256 kB,
// and a line with a long way to the server is asked less often.
const BYTES = canGzip() ? 640_000 : 256_000
const LEAST_PAUSE_MS = 1_000
const MOST_PAUSE_MS = 120_000
const AGAIN_MS = 60_000 // how often is looked for something to send when nothing wakes it
const STUCK_MS = 600_000 // until a record that the server stumbled over is tried again

export type Trouble =
  | "offline" // no answer
  | "busy" // the server asks for patience
  | "stumbled" // the server failed over something of ours
  | "unknown_device" // its tokens are no longer good: enrol anew
export interface Progress {
  trouble: Trouble | null
  said: string
  nextAt: number | null
  lastAt: number | null // of the last receipt
  sending: boolean
}

export class Sync {
  progress: Progress = { trouble: null, said: "", nextAt: null, lastAt: null, sending: false }
  private failures = 0
  private limit = ITEMS
  private readonly stuck = new Map<number, number>() // number of the record → when to try it again
  private timer: ReturnType<typeof setTimeout> | undefined
  private running: Promise<void> | null = null
  private again = false
  private ended = false

  constructor(
    private readonly store: Store,
    private readonly outbox: Outbox,
    private readonly server: Server,
    private readonly changed: (receipt?: Receipt) => void,
    private readonly beside: () => Promise<void> = () => Promise.resolve(), // what goes after the records
  ) {}

  /** Send what waits, now. Called again while it runs, it runs once more. */
  wake(): Promise<void> {
    if (this.ended) return Promise.resolve()
    if (this.running) {
      this.again = true
      return this.running
    }
    clearTimeout(this.timer)
    this.running = this.once().finally(() => {
      this.running = null
      const more = this.again && !this.progress.trouble
      this.again = false
      if (more) void this.wake()
      else this.rest()
    })
    return this.running
  }

  end(): void {
    this.ended = true
    clearTimeout(this.timer)
  }

  private rest(): void {
    if (this.ended) return
    const { nextAt } = this.progress
    const pause = nextAt === null ? AGAIN_MS : Math.max(0, nextAt - Date.now())
    this.timer = setTimeout(() => void this.wake(), pause)
  }

  private async once(): Promise<void> {
    this.say({ sending: true })
    try {
      await locked("muster-sync", () => this.drain()) // another tab first, then what is left
    } finally {
      this.say({ sending: false })
    }
  }

  private async drain(): Promise<void> {
    for (;;) {
      const rows = await this.outbox.waiting(this.limit, BYTES, this.resting())
      try {
        if (!rows.length) {
          await this.beside()
          return this.idle()
        }
        await this.part(rows)
        this.failures = 0
        this.limit = Math.min(ITEMS, this.limit * 2)
      } catch (error) {
        if (!(await this.goesOn(rows, error))) return
      }
    }
  }

  private idle(): void {
    if (this.stuck.size) this.say({ trouble: "stumbled", nextAt: Math.min(...this.stuck.values()) })
    else this.say({ trouble: null, said: "", nextAt: null })
  }

  private async part(rows: OutboxRow[]): Promise<void> {
    const items = await Promise.all(rows.map((row) => this.outbox.item(row)))
    await this.outbox.sending(rows.map((row) => row.seq))
    this.changed()
    const tokens = await this.server.tokens()
    const unsent = (await this.outbox.unsent()) - rows.length
    const receipt = await this.server.upload(
      JSON.stringify({
        device: tokens?.code,
        sent_at: new Date().toISOString(),
        unsent,
        items,
      }),
    )
    await this.outbox.settle(rows, receipt.answers, receipt.head.seq)
    await this.store.keep("last_receipt", { at: Date.now(), head: receipt.head })
    this.changed(receipt)
    this.say({ trouble: null, said: "", nextAt: null, lastAt: Date.now() })
  }

  /** Whether to go on at once, with smaller parts or without what the server stumbled over. */
  private async goesOn(rows: OutboxRow[], error: unknown): Promise<boolean> {
    if (error instanceof NoAnswer) return this.pause("offline", "")
    if (!(error instanceof Refused)) throw error
    const { status, slug, detail } = error
    if (status === 401 || status === 403) return this.pause("unknown_device", detail)
    if (status === 429 || status === 503 || status === 408)
      return this.pause("busy", detail, error.retryAfterMs)
    if (!rows.length) return this.pause("stumbled", detail)
    if (rows.length > 1) {
      this.limit = Math.max(1, Math.floor(rows.length / 2))
      return true
    }
    const [row] = rows
    if (status === 400 && slug === "malformed-upload") {
      // It cannot be read as it is, and the server has kept its bytes.
      const inbox = String(error.facts.inbox ?? "")
      const answer = { id: row!.id, answer: "held" as const, why: slug, detail, inbox }
      await this.outbox.settle(rows, [answer], 0)
    } else {
      this.stuck.set(row!.seq, Date.now() + STUCK_MS)
      this.say({ trouble: "stumbled", said: detail })
    }
    this.limit = ITEMS
    return true
  }

  private pause(trouble: Trouble, said: string, atLeast = 0): false {
    const most = Math.min(MOST_PAUSE_MS, LEAST_PAUSE_MS * 2 ** this.failures++)
    // A whole city's phones come back at the same moment: each waits for a time of its own.
    const pause = atLeast + most / 2 + Math.random() * (most / 2)
    this.say({ trouble, said, nextAt: Date.now() + pause })
    return false
  }

  private resting(): Set<number> {
    for (const [seq, until] of this.stuck) if (until <= Date.now()) this.stuck.delete(seq)
    return new Set(this.stuck.keys())
  }

  private say(some: Partial<Progress>): void {
    this.progress = { ...this.progress, ...some }
    this.changed()
  }
}
