import { expect, test } from "vitest"

import { Sync } from "./sync"
import { emptyOutbox, problem, receipt, sealed, SENDER, serverThat, type Upload } from "./testing"

type Answering = (upload: Upload, turn: number) => Response | Promise<Response>

async function synced(count: number, answer: Answering, turns = 1) {
  const { store, outbox } = await emptyOutbox()
  const seen: string[][] = []
  const server = await serverThat(store, (upload, turn) => {
    seen.push(upload.items.map((one) => one.event.id))
    return answer(upload, turn)
  })
  const sync = new Sync(store, outbox, server, () => {})
  await outbox.record(
    Array.from({ length: count }, (_, n) => sealed(n)),
    SENDER,
  )
  for (let n = 0; n < turns; n++) await sync.wake()
  sync.end()
  return { counts: await outbox.counts(), seen, sync, store }
}

test("everything goes out and has its receipt", async () => {
  const { counts, seen } = await synced(620, (upload) => receipt(upload))
  expect(counts).toEqual({ saved: 0, sent: 0, stored: 620, held: 0 })
  expect(seen.map((one) => one.length)).toEqual([500, 120])
})

test("an answer that is lost leaves them sent; they are sent again under the same ids", async () => {
  const { counts, seen } = await synced(
    3,
    (upload, turn) =>
      turn ? receipt(upload, () => ({ answer: "known" })) : Promise.reject(Error()),
    2,
  )
  expect(seen[1]).toEqual(seen[0])
  expect(counts).toEqual({ saved: 0, sent: 0, stored: 3, held: 0 })
})

test("without an answer nothing is said to be stored, and the pause grows", async () => {
  const { counts, sync } = await synced(2, () => Promise.reject(Error("offline")))
  expect(counts).toEqual({ saved: 0, sent: 2, stored: 0, held: 0 })
  expect(sync.progress.trouble).toBe("offline")
  expect(sync.progress.nextAt).toBeGreaterThan(Date.now())
})

test("one that the server stumbles over keeps back none of the others", async () => {
  const bad = (upload: Upload) => upload.items.some((one) => one.event.device_seq === 7)
  const { counts, sync } = await synced(40, (upload) =>
    bad(upload) ? problem(500, "internal-error") : receipt(upload),
  )
  expect(counts.stored).toBe(39)
  expect(counts.sent).toBe(1)
  expect(sync.progress.trouble).toBe("stumbled")
})

test("one that is no upload for the server is held: it has the bytes", async () => {
  const bad = (upload: Upload) => upload.items.some((one) => one.event.device_seq === 2)
  const { counts, store } = await synced(4, (upload) =>
    bad(upload) ? problem(400, "malformed-upload", { inbox: "box" }) : receipt(upload),
  )
  expect(counts).toEqual({ saved: 0, sent: 0, stored: 3, held: 1 })
  expect((await store.outbox.get(2))!.inbox).toBe("box")
})

test("too large a part is halved", async () => {
  const { counts, seen } = await synced(10, (upload) =>
    upload.items.length > 3 ? problem(413, "upload-too-large") : receipt(upload),
  )
  expect(counts.stored).toBe(10)
  expect(Math.max(...seen.slice(2).map((one) => one.length))).toBeLessThanOrEqual(4)
})

test("a held one says why", async () => {
  const { counts, store } = await synced(2, (upload) =>
    receipt(upload, (one) =>
      one.event.device_seq === 1 ? { answer: "held", why: "outside-scope", detail: "…" } : {},
    ),
  )
  expect(counts).toEqual({ saved: 0, sent: 0, stored: 1, held: 1 })
  expect((await store.outbox.get(1))!.why).toBe("outside-scope")
})

test("the server's patience is respected, and what is left is told", async () => {
  const uploads: Upload[] = []
  const { sync } = await synced(520, (upload, turn) => {
    uploads.push(upload)
    if (turn < 1) return receipt(upload)
    return new Response("{}", { status: 503, headers: { "retry-after": "30" } })
  })
  expect(uploads[0]!.unsent).toBe(20)
  expect(sync.progress.trouble).toBe("busy")
  expect(sync.progress.nextAt! - Date.now()).toBeGreaterThan(29_000)
})

test("tokens are renewed, and an answer that is lost then is not the end of them", async () => {
  const { store, outbox } = await emptyOutbox()
  const server = await serverThat(store, (upload) => receipt(upload))
  const asked: string[] = []
  const expired = { device: "d", code: "PH-1", token: "old", refresh: "r1" }
  await store.keep("tokens", { ...expired, expires_at: "2020-01-01T00:00:00Z" })
  const network = server as unknown as { fetching: typeof fetch }
  const inner = network.fetching
  let lost = true
  network.fetching = (path, init) => {
    if (!String(path).endsWith("/refresh")) return inner(path, init)
    asked.push(String(init!.body))
    if (lost) {
      lost = false
      return Promise.reject(Error("lost"))
    }
    const expires_at = new Date(Date.now() + 900_000).toISOString()
    return Promise.resolve(Response.json({ ...expired, token: "new", refresh: "r2", expires_at }))
  }
  const sync = new Sync(store, outbox, server, () => {})
  await outbox.record([sealed(1)], SENDER)
  await sync.wake()
  expect(sync.progress.trouble).toBe("offline")
  await sync.wake()
  sync.end()
  expect(asked).toEqual(['{"refresh":"r1"}', '{"refresh":"r1"}'])
  expect((await outbox.counts()).stored).toBe(1)
})
