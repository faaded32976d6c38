// A bag or box that is being filled: what each scan means for it, and what is recorded of it. Pure.
import type { LabelRange } from "@/ledger/slice"
import type { Fact } from "@/ledger/vocabulary"

import { isForeign } from "../sampling/reading"
import { tubesOf, type Known } from "./boxes"

export interface Packed {
  barcode: string
  tube?: string // its id, where it was sealed on this phone
  foreign?: boolean
}
export interface Packing {
  box: string
  code: string | null
  kind: "bag" | "box"
  tubes: Packed[]
  bags: { box: string; code: string; tubes: number }[]
  again: boolean // it was packed before: this manifest takes the place of that one
  boundFor: string | null
}
export type Said = "tube" | "foreign" | "again" | "elsewhere" | "bag" | "bag_again" | "own_label"
export interface Around {
  sealed: Map<string, string> // barcode → id, of tubes sealed on this phone
  labels: readonly LabelRange[]
  site: string | null
  boxes: Map<string, Known>
}

/** Spaces that printers put between groups say nothing; full-width letters come from an input method. */
export const tidyLabel = (said: string): string =>
  said
    .normalize("NFKC")
    .replace(/^\][A-Za-z]\d/, "")
    .replace(/[\s\u0000-\u001f\u200b-\u200f\ufeff]/g, "")

export const begin = (box: string, kind: "bag" | "box"): Packing => ({
  ...{ box, code: null, kind, tubes: [], bags: [], again: false, boundFor: null },
})

/** Opened again: with what is in it now. */
export function repack(box: Known, all: Map<string, Known>, around: Around): Packing {
  return {
    ...{ box: box.box, code: box.code, kind: box.kind === "bag" ? "bag" : "box" },
    tubes: box.tubes.map((barcode) => packed(barcode, around)),
    bags: box.bags.map((id) => {
      const bag = all.get(id)
      return { box: id, code: bag?.code ?? "?", tubes: bag ? tubesOf(bag, all).length : 0 }
    }),
    ...{ again: true, boundFor: box.bound_for },
  }
}

function packed(barcode: string, around: Around): Packed {
  const tube = around.sealed.get(barcode)
  if (tube) return { barcode, tube }
  const given = around.labels.filter((one) => one.kind === "tube" && one.site === around.site)
  return isForeign(barcode, given) ? { barcode, foreign: true } : { barcode }
}

/** Put what was scanned in, or take nothing and say why. */
export function scan(
  packing: Packing,
  said: string,
  around: Around,
): { packing: Packing; said: Said; where?: string } {
  const barcode = tidyLabel(said)
  if (barcode === packing.code) return { packing, said: "own_label" }
  if (packing.tubes.some((one) => one.barcode === barcode)) return { packing, said: "again" }
  if (packing.bags.some((one) => one.code === barcode)) return { packing, said: "bag_again" }
  const others = [...around.boxes.values()].filter((one) => one.box !== packing.box)
  const bag =
    packing.kind === "box" && others.find((one) => one.code === barcode && one.kind === "bag")
  if (bag) {
    const inside = { box: bag.box, code: bag.code, tubes: tubesOf(bag, around.boxes).length }
    return { packing: { ...packing, bags: [...packing.bags, inside] }, said: "bag" }
  }
  const there = others.find((one) => one.tubes.includes(barcode))
  if (there) return { packing, said: "elsewhere", where: there.code }
  const one = packed(barcode, around)
  const tubes = [...packing.tubes, one]
  return { packing: { ...packing, tubes }, said: one.foreign ? "foreign" : "tube" }
}

export function out(packing: Packing, code: string): Packing {
  return {
    ...packing,
    tubes: packing.tubes.filter((one) => one.barcode !== code),
    bags: packing.bags.filter((one) => one.code !== code),
  }
}

export const inside = (packing: Packing): number =>
  packing.tubes.length + packing.bags.reduce((sum, one) => sum + one.tubes, 0)

/** What a hand counts: tubes in a bag, tubes and bags in a box. */
export const pieces = (packing: Packing): number => packing.tubes.length + packing.bags.length

export function asFact(
  packing: Packing & { code: string },
  closed: { count: number; seal: string; site: string | null; note: string },
): Fact {
  const { box, code, kind, tubes, bags, boundFor } = packing
  return {
    type: "BoxPacked",
    subject: box,
    body: {
      ...{ code, kind, count: closed.count },
      ...(tubes.length && {
        tubes: tubes.map(({ barcode, tube }) => (tube ? { barcode, tube } : { barcode })),
      }),
      ...(bags.length && { bags: bags.map((one) => one.box) }),
      ...(closed.seal && { seal: tidyLabel(closed.seal) }),
      ...(closed.site && { site: closed.site }),
      ...(boundFor && { bound_for: boundFor }),
    },
    ...(closed.note.trim() && { note: closed.note.trim() }),
  }
}
