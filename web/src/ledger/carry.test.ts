import { expect, test } from "vitest"

import { gunzip, text, toBase64 } from "./bytes"
import { ENC_BYTES, suite } from "./keys"
import { frames, Gathering, parts, sealQueue } from "./carry"
import { emptyOutbox, sealed, SENDER } from "./testing"

test("a queue is sealed to the server, and only its key opens it", async () => {
  const { outbox } = await emptyOutbox()
  await outbox.record([1, 2].map(sealed), SENDER)
  const pair = await suite.kem.generateKeyPair()
  const open = new Uint8Array(await suite.kem.serializePublicKey(pair.publicKey))
  const found = []
  for await (const one of parts(outbox)) found.push(one)
  expect(found).toHaveLength(1)
  const [rows, items] = found[0]!
  expect(rows.map((row) => row.seq)).toEqual([1, 2])
  const queue = { token: "t", device: "PH-1", offset_ms: -5, items }
  const bytes = await sealQueue({ id: 3, key: toBase64(open) }, queue)
  expect(text(bytes.subarray(0, 3))).toBe("MQ1")
  expect(bytes[3]).toBe(3)
  const enc = bytes.slice(4, 4 + ENC_BYTES)
  const packed = await suite.open(
    { recipientKey: pair.privateKey, enc },
    bytes.slice(4 + ENC_BYTES),
  )
  expect(JSON.parse(text(await gunzip(new Uint8Array(packed))))).toEqual(queue)
})

test("a series of codes is put together in any order, some seen twice, another one begun", () => {
  const bytes = crypto.getRandomValues(new Uint8Array(4_000))
  const series = frames(bytes, "PH-1")
  const gathering = new Gathering()
  expect(gathering.add("T00000001")).toBe(false)
  expect(gathering.add(frames(bytes, "PH-2")[0]!)).toBe(true)
  for (const one of [series[3]!, series[0]!, series[3]!, series[4]!, series[1]!]) gathering.add(one)
  expect([gathering.count, gathering.of, gathering.whole()]).toEqual([4, 5, null])
  gathering.add(series[2]!)
  expect(gathering.whole()).toEqual(bytes)
})
