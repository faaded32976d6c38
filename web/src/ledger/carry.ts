// A queue that leaves its phone by another way: as a file or a series of QR codes, sealed to the server, so
// that anybody may carry it (docs/decisions/0024-field-client.md).
import { fromBase64, gzip, toBase64, utf8 } from "./bytes"
import { sealTo } from "./keys"
import type { Outbox } from "./outbox"
import type { OutboxRow } from "./store"
import type { Item } from "./vocabulary"

type Bytes = Uint8Array<ArrayBuffer>
export interface ServerKey {
  id: number
  key: string // base64 of the raw P-256 key
}
const MAGIC = "MQ1"
export const FRAME_BYTES = 900 // a QR of version 22 or so: an old camera reads it from a bright screen
export const FRAMES_MOST = 200

/** The sealed bytes of some items. `token` says to the server, and to nobody else, whose they are. */
export async function sealQueue(
  key: ServerKey,
  queue: { token: string; device: string; offset_ms: number; items: Item[] },
): Promise<Bytes> {
  const sealed = await sealTo(fromBase64(key.key), await gzip(utf8(JSON.stringify(queue))))
  const out = new Uint8Array(MAGIC.length + 1 + sealed.length)
  out.set(utf8(MAGIC))
  out[MAGIC.length] = key.id
  out.set(sealed, MAGIC.length + 1)
  return out
}

/** What has no receipt, in parts that the server takes in one piece. */
export async function* parts(outbox: Outbox, most = 2_000): AsyncIterable<[OutboxRow[], Item[]]> {
  const seen = new Set<number>()
  for (;;) {
    const rows = await outbox.waiting(most, 8_000_000, seen)
    if (!rows.length) return
    for (const row of rows) seen.add(row.seq)
    const items = await Promise.all(rows.map((row) => outbox.item(row)))
    yield [rows, items.filter((one) => one !== null)]
  }
}

/** The texts of a series of QR codes: `MQ:<name>:<number>/<of>:<base64>`. */
export function frames(sealed: Bytes, name: string): string[] {
  const of = Math.ceil(sealed.length / FRAME_BYTES)
  return Array.from({ length: of }, (_, n) => {
    const part = sealed.subarray(n * FRAME_BYTES, (n + 1) * FRAME_BYTES)
    return `MQ:${name}:${n + 1}/${of}:${toBase64(part)}`
  })
}

/** Puts a series together again, in whatever order and however often its parts are seen. */
export class Gathering {
  private name = ""
  of = 0
  private readonly found = new Map<number, string>()

  get count(): number {
    return this.found.size
  }

  /** Whether the text belonged to a series; a part of another one begins anew. */
  add(text: string): boolean {
    const match = /^MQ:([A-Za-z0-9-]{1,40}):(\d{1,3})\/(\d{1,3}):([A-Za-z0-9+/=]+)$/.exec(text)
    if (!match) return false
    const [, name, n, of, part] = match
    if (name !== this.name) {
      this.name = name!
      this.of = Number(of)
      this.found.clear()
    }
    if (Number(n) >= 1 && Number(n) <= this.of) this.found.set(Number(n), part!)
    return true
  }

  /** The sealed bytes, once every part is there. */
  whole(): Bytes | null {
    if (!this.of || this.found.size < this.of) return null
    const all = Array.from({ length: this.of }, (_, n) => fromBase64(this.found.get(n + 1)!))
    const out = new Uint8Array(all.reduce((sum, one) => sum + one.length, 0))
    let at = 0
    for (const one of all) {
      out.set(one, at)
      at += one.length
    }
    return out
  }
}
