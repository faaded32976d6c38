// What the engine's tests share: an empty database each, and a network that the test writes the answers of.
import { IDBFactory, IDBKeyRange } from "fake-indexeddb"

import { gunzip, text } from "./bytes"
import { deviceKey } from "./keys"
import { Outbox } from "./outbox"
import { Server } from "./server"
import { Store } from "./store"
import type { Item } from "./vocabulary"

export const SENDER = { actor: "nurse", device: "PH-1" }
let made = 0

export function emptyStore(indexedDB = new IDBFactory()): Store {
  return new Store(`test-${made++}`, { indexedDB, IDBKeyRange })
}

export async function emptyOutbox(): Promise<{ store: Store; outbox: Outbox; key: CryptoKey }> {
  const store = emptyStore()
  const key = await deviceKey(store)
  return { store, outbox: new Outbox(store, key), key }
}

export const sealed = (n: number) => ({
  type: "TubeSealed",
  subject: `0190f000-0000-7000-8000-${String(n).padStart(12, "0")}`,
  body: { barcode: `T${n}`, purpose: "round", capacity: 10, members: [] },
})

export interface Upload {
  device: string
  unsent: number
  items: Item[]
}

/** A server whose answer to each upload is what `answer` says of it. */
export async function serverThat(
  store: Store,
  answer: (upload: Upload, turn: number) => Response | Promise<Response>,
): Promise<Server> {
  const expires_at = new Date(Date.now() + 3_600_000).toISOString()
  await store.keep("tokens", { device: "d", code: "PH-1", token: "t", refresh: "r", expires_at })
  let turn = 0
  return new Server(store, "http://muster.test", async (_, init) => {
    const body = new Uint8Array(init!.body as Uint8Array<ArrayBuffer>)
    const packed = new Headers(init!.headers).get("content-encoding") === "gzip"
    const upload = JSON.parse(text(packed ? await gunzip(body) : body)) as Upload
    return answer(upload, turn++)
  })
}

export function receipt(upload: Upload, how: (item: Item) => object = () => ({})): Response {
  const answers = upload.items.map((one) => ({ id: one.event.id, answer: "stored", ...how(one) }))
  return Response.json({ answers, head: { batch: 1, seq: 7, hash: "h" } })
}

export function problem(status: number, slug: string, facts: object = {}): Response {
  const body = { type: `urn:muster:problem:${slug}`, status, detail: slug, facts }
  return Response.json(body, { status })
}
