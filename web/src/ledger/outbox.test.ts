import { expect, test } from "vitest"

import { Notes } from "./notes"
import { emptyOutbox, sealed, SENDER } from "./testing"

test("what is recorded is kept, numbered without a gap and unreadable in the database", async () => {
  const { store, outbox } = await emptyOutbox()
  await Promise.all([1, 2, 3, 4].map((n) => outbox.record([sealed(n)], SENDER)))
  const rows = await store.outbox.toArray()
  expect(rows.map((row) => row.seq)).toEqual([1, 2, 3, 4])
  expect(new TextDecoder().decode(rows[0]!.sealed!)).not.toContain("barcode")
  const items = await Promise.all(rows.map((row) => outbox.item(row)))
  expect(new Set(items.map((one) => one!.event.subject)).size).toBe(4)
  expect(items[0]!.event).toMatchObject({ ...SENDER, device_seq: 1, type: "TubeSealed" })
})

test("facts are saved all or none: what goes with them, too", async () => {
  const { store, outbox } = await emptyOutbox()
  const broken = outbox.record([sealed(1), sealed(2)], SENDER, () => {
    throw new Error("no")
  })
  await expect(broken).rejects.toThrow("no")
  expect(await store.outbox.count()).toBe(0)
  await outbox.record([sealed(3)], SENDER)
  expect((await store.outbox.toArray())[0]!.seq).toBe(1)
})

test("each state is counted; old receipts are dropped and still counted", async () => {
  const { store, outbox } = await emptyOutbox()
  await outbox.record([1, 2, 3].map(sealed), SENDER)
  const rows = await store.outbox.toArray()
  await outbox.sending([rows[0]!.seq])
  const stored = { id: rows[1]!.id, answer: "stored" as const }
  const held = { id: rows[2]!.id, answer: "held" as const, why: "unreadable-item" }
  await outbox.settle(rows.slice(1), [stored, held], 9)
  expect(await outbox.counts()).toEqual({ saved: 0, sent: 1, stored: 1, held: 1 })
  expect(await outbox.prune(Date.now() + 1)).toBe(1)
  expect(await outbox.counts()).toEqual({ saved: 0, sent: 1, stored: 1, held: 1 })
  expect((await outbox.held())[0]!.why).toBe("unreadable-item")
})

test("an answer that is not the row's settles nothing", async () => {
  const { store, outbox } = await emptyOutbox()
  await outbox.record([1, 2].map(sealed), SENDER)
  const rows = await store.outbox.toArray()
  await outbox.settle(rows, [{ id: rows[1]!.id, answer: "stored" }], 9)
  expect((await outbox.counts()).stored).toBe(0)
})

test("what a slice shows already is not laid over it", async () => {
  const { store, outbox } = await emptyOutbox()
  await outbox.record([1, 2].map(sealed), SENDER)
  const rows = await store.outbox.toArray()
  await outbox.settle(rows.slice(0, 1), [{ id: rows[0]!.id, answer: "stored" }], 9)
  expect((await outbox.beyond(8)).map((one) => one.seq)).toEqual([1, 2])
  expect((await outbox.beyond(9)).map((one) => one.seq)).toEqual([2])
})

test("what is recorded with a note is kept with it, all or none; only this device can read it", async () => {
  const { store, outbox, key } = await emptyOutbox()
  const notes = new Notes(store, key)
  const sealedNote = await notes.sealed({ name: "bag", value: { tubes: ["B1"] } })
  await outbox.record([sealed(1)], SENDER, () => notes.put("bag", sealedNote))
  expect(await notes.read("bag")).toEqual({ tubes: ["B1"] })
  const raw = (await store.fact<Uint8Array>("note:bag"))!
  expect(new TextDecoder().decode(raw)).not.toContain("B1")
  const broken = outbox.record([sealed(2)], SENDER, async () => {
    await notes.put("bag", sealedNote.slice(0, 5))
    throw new Error("no")
  })
  await expect(broken).rejects.toThrow("no")
  expect(await notes.read("bag")).toEqual({ tubes: ["B1"] })
  expect((await outbox.since(0)).map((one) => one.state)).toEqual(["saved"])
})
