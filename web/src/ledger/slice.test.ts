import { hmac } from "@noble/hashes/hmac.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { expect, test } from "vitest"

import { fromHex, toHex, utf8 } from "./bytes"
import { dataKey } from "./keys"
import { Refused, Server } from "./server"
import { Slice } from "./slice"
import { emptyStore, problem } from "./testing"

const SALT = "00112233445566778899aabbccddeeff"
const COLUMNS = [
  "id",
  "name",
  "pinyin",
  "initials",
  "building",
  "room",
  "birth_year",
  "sex",
  "state",
  "phone_tail",
  "number_hash",
  "swabbed_at",
  "stance",
  "recall",
]
const id = (n: number) => `0190f000-0000-7000-8000-${n.toString(16).padStart(12, "0")}`
const hash = (number: string) => toHex(hmac(sha256, fromHex(SALT), utf8(number)).subarray(0, 5))
const row = (n: number, more: Record<string, unknown> = {}) => {
  const one: Record<string, unknown> = {
    id: id(n),
    name: ["张三", "欧阳娜", "王五"][n % 3],
    pinyin: ["zhangsan", "ouyangna", "wangwu"][n % 3],
    initials: ["zs", "oyn", "ww"][n % 3],
    building: n % 2,
    room: String(100 + (n % 900)),
    birth_year: 1950,
    sex: "male",
    state: "resident",
    phone_tail: String(1_000 + (n % 9_000)),
    number_hash: hash(`number${n}`),
    swabbed_at: null,
    stance: null,
    recall: null,
    ...more,
  }
  return COLUMNS.map((column) => one[column])
}
const answer = (rows: unknown[][], more: object = {}) => ({
  as_of: "2022-08-01T00:00:00Z",
  seq: 10,
  basis: "b1",
  whole: true,
  place: { kind: "site", id: "s", code: "X1", name: "东门" },
  holder: { login: "nurse", name: null, roles: ["sampler"], rights: [] },
  salt: SALT,
  hash_bytes: 5,
  rounds: [],
  areas: [
    ["a", null, "H1", "幸福 1 号楼", "building"],
    ["b", null, "H2", "幸福 2 号楼", "building"],
  ],
  people: { columns: COLUMNS, rows },
  gone: [],
  ...more,
})

async function sliceOf(...answers: (object | Response)[]) {
  const store = emptyStore()
  const expires_at = new Date(Date.now() + 3_600_000).toISOString()
  await store.keep("tokens", { device: "d", code: "PH-1", token: "t", refresh: "r", expires_at })
  const asked: string[] = []
  const server = new Server(store, "http://muster.test", (path) => {
    asked.push(String(path).replace("http://muster.test", ""))
    const next = answers[asked.length - 1]!
    return Promise.resolve(next instanceof Response ? next : Response.json(next))
  })
  const key = await dataKey(crypto.getRandomValues(new Uint8Array(32)))
  const make = () => new Slice(store, server, key)
  return { slice: make(), make, store, asked }
}

test("a slice is kept, unreadable in the database, and read again", async () => {
  const { slice, make, store } = await sliceOf(answer([row(0), row(1)]))
  expect(await slice.refresh()).toBe("whole")
  for (const one of await store.slice.toArray())
    expect(new TextDecoder().decode(one.sealed)).not.toContain("张三")
  const again = make()
  expect(await again.load()).toBe(true)
  expect(again.person(id(1))!.name).toBe("欧阳娜")
  expect(again.head!.place.name).toBe("东门")
})

test("what changed is asked for and put in; who left is dropped", async () => {
  const { slice, make, asked } = await sliceOf(
    answer(Array.from({ length: 4_500 }, (_, n) => row(n))),
    answer([row(7, { name: "新名" }), row(9_999)], { whole: false, seq: 12, gone: [id(3)] }),
  )
  await slice.refresh()
  await slice.prepare()
  expect(slice.search("新名")).toEqual([])
  expect(await slice.refresh()).toBe("changes")
  expect(slice.search("新名").map((one) => one.id)).toEqual([id(7)])
  expect(slice.byPersonalCode("UTDU7DYMZMFA")).toHaveLength(1)
  expect(slice.byPersonalCode("RKYTU546QSJ2")).toEqual([])
  expect(asked[1]).toBe("/v1/slice?since=10&basis=b1")
  for (const one of [slice, make()]) {
    await one.load()
    expect([one.size, one.person(id(7))!.name, one.person(id(3))]).toEqual([
      4_500,
      "新名",
      undefined,
    ])
    expect(one.person(id(9_999))).toBeDefined()
  }
})

test("a refusal leaves what is there", async () => {
  const { slice } = await sliceOf(answer([row(0)]), problem(403, "device-revoked-now"))
  await slice.refresh()
  await expect(slice.refresh()).rejects.toBeInstanceOf(Refused)
  expect(slice.size).toBe(1)
})

test("people are found by name, pinyin, initials, room, building, phone and number", async () => {
  const { slice } = await sliceOf(answer([row(0), row(1), row(2)]))
  await slice.refresh()
  const names = (words: string) => slice.search(words).map((one) => one.name)
  for (const words of ["张", "zhang", "zs", "100 zs", "1000", "幸福 1 张", "ＺＳ"])
    expect(names(words)).toContain("张三")
  expect(names("zs 101")).toEqual([])
  expect(names("")).toEqual([])
  expect(slice.byNumber("number2")!.name).toBe("王五")
  expect(slice.byNumber("number9")).toBeUndefined()
})

test("of many who fit forty are shown", async () => {
  const { slice } = await sliceOf(answer(Array.from({ length: 20_000 }, (_, n) => row(n))))
  await slice.refresh()
  expect(slice.search("zs")).toHaveLength(40)
  expect(slice.search("不在")).toEqual([])
})
