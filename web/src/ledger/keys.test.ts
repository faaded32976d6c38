import { expect, test } from "vitest"

import { addHolder, deviceKey, unlock, Wiped, WRONG_PINS_MOST, WrongPin } from "./keys"
import { emptyOutbox, sealed, SENDER } from "./testing"

const NURSE = { login: "nurse", name: "李" }

test("a PIN opens the data key, another one does not", async () => {
  const { store, key } = await emptyOutbox()
  const raw = await addHolder(store, key, NURSE, "246813", null)
  expect(await unlock(store, key, "nurse", "246813")).toEqual(raw)
  await expect(unlock(store, key, "nurse", "246814")).rejects.toEqual(new WrongPin(9))
})

test("ten wrong PINs throw the slice away and leave the queue", async () => {
  const { store, key, outbox } = await emptyOutbox()
  await addHolder(store, key, NURSE, "246813", null)
  await store.slice.put({ part: "head", sealed: new Uint8Array(3) })
  await outbox.record([sealed(1)], SENDER)
  for (let n = 1; n < WRONG_PINS_MOST; n++)
    await expect(unlock(store, key, "nurse", "000000")).rejects.toBeInstanceOf(WrongPin)
  await expect(unlock(store, key, "nurse", "000000")).rejects.toBeInstanceOf(Wiped)
  expect([await store.slice.count(), await store.holders.count()]).toEqual([0, 0])
  await expect(unlock(store, key, "nurse", "246813")).rejects.toBeInstanceOf(Wiped)
  expect((await outbox.item((await store.outbox.get(1))!))!.event.type).toBe("TubeSealed")
})

test("who joins a locked phone shuts nobody out", async () => {
  const { store, key } = await emptyOutbox()
  const first = await addHolder(store, key, NURSE, "246813", null)
  const second = await addHolder(store, key, { login: "guard", name: null }, "975311", null)
  expect(second).not.toEqual(first)
  expect(await unlock(store, key, "nurse", "246813")).toEqual(second)
  expect(await unlock(store, key, "guard", "975311")).toEqual(second)
})

test("the device's key cannot be taken out, and a copied database opens nothing without it", async () => {
  const one = await emptyOutbox()
  await expect(crypto.subtle.exportKey("raw", one.key)).rejects.toThrow()
  await addHolder(one.store, one.key, NURSE, "246813", null)
  const other = await emptyOutbox()
  await other.store.holders.bulkPut(await one.store.holders.toArray())
  const elsewhere = await deviceKey(other.store)
  await expect(unlock(other.store, elsewhere, "nurse", "246813")).rejects.toBeInstanceOf(WrongPin)
})
