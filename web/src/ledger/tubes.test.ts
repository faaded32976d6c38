import { expect, test } from "vitest"

import { overlay } from "./overlay"
import { emptyOutbox, SENDER } from "./testing"
import { AlreadyIn, asFacts, NoBarcode, NotSwabbed, TubeFull, Tubes } from "./tubes"

const HOW = { swabbed: true }
const FACTS = { capacity: 2, purpose: "round" as const, household: false, barcode: "T1" }

async function started() {
  const one = await emptyOutbox()
  return { ...one, tubes: new Tubes(one.store, one.outbox, one.key) }
}

test("a tube is filled, survives a restart, and sealed becomes one event", async () => {
  const { store, outbox, key, tubes } = await started()
  let { draft } = await tubes.begin(FACTS)
  draft = await tubes.take(draft, "p1", HOW)
  const [again] = await new Tubes(store, outbox, key).open()
  expect(again).toEqual(draft)
  draft = await tubes.take(again!, "p2", HOW)
  const made = await tubes.seal(draft, SENDER)
  expect(await tubes.open()).toEqual([])
  expect([...overlay(made).tubes.values()][0]).toMatchObject({
    barcode: "T1",
    members: [
      { person: "p1", position: 1 },
      { person: "p2", position: 2 },
    ],
  })
})

test("nobody is in it twice, and one too many needs a reason that the seal tells", async () => {
  const { tubes } = await started()
  let { draft } = await tubes.begin(FACTS)
  draft = await tubes.take(draft, "p1", HOW)
  await expect(tubes.take(draft, "p1", HOW)).rejects.toEqual(new AlreadyIn(1))
  draft = await tubes.take(draft, "p2", HOW)
  await expect(tubes.take(draft, "p3", HOW)).rejects.toBeInstanceOf(TubeFull)
  draft = await tubes.take(draft, "p3", { ...HOW, over: "household" })
  const [made] = await tubes.seal(draft, SENDER)
  expect(made!.body).toMatchObject({ over: "household", capacity: 2 })
  draft = await tubes.drop({ ...draft, tube: "other" }, "p3")
  expect(draft.over).toBeUndefined()
})

test("a position that was spoken stays; before anybody is swabbed they close up", async () => {
  const { tubes } = await started()
  const positions = async (swabbed: boolean) => {
    let { draft } = await tubes.begin({ ...FACTS, capacity: 5 })
    for (const one of ["p1", "p2", "p3"]) draft = await tubes.take(draft, one, { swabbed })
    draft = await tubes.drop(draft, "p2")
    draft = await tubes.take(draft, "p4", { swabbed })
    return draft.swabs.map((one) => one.position)
  }
  expect(await positions(true)).toEqual([1, 3, 4])
  expect(await positions(false)).toEqual([1, 2, 3])
})

test("it is not sealed without its label or with somebody who was not swabbed", async () => {
  const { tubes } = await started()
  let { draft } = await tubes.begin({ ...FACTS, barcode: undefined })
  await expect(tubes.seal(draft, SENDER)).rejects.toBeInstanceOf(NoBarcode)
  draft = await tubes.take({ ...draft, facts: { ...draft.facts, barcode: "T2" } }, "p1", {
    swabbed: false,
  })
  await expect(tubes.seal(draft, SENDER)).rejects.toEqual(new NotSwabbed([1]))
  expect(await tubes.open()).toHaveLength(1)
})

test("an open tube can be told to another device, twice as once", async () => {
  const { tubes } = await started()
  let { draft } = await tubes.begin(FACTS)
  draft = await tubes.take(draft, "p1", HOW)
  const facts = asFacts(draft)
  expect(facts.map((one) => one.type)).toEqual(["TubeOpened", "SpecimenTaken"])
  expect(asFacts(draft).map((one) => one.id)).toEqual(facts.map((one) => one.id))
})
