// The tree of areas with a round's figures as it is unfolded: children are asked for once, when an area is
// opened.
import { reactive, ref, shallowRef, type Ref } from "vue"

import { address, ask } from "@/api/client"
import type { components } from "@/generated/api"

export type Branch = components["schemas"]["Branch"]
export type Line = components["schemas"]["TreeLine"]
export type Assignment = components["schemas"]["Assignment"]
export type Order = "walk" | "missing" | "share"

export interface Shown {
  line: Line
  depth: number
  open: boolean
  /** areas under it, or doors */
  more: boolean
}

/** Areas in the order wanted; those where nobody is missing may be left out. */
export function ordered(lines: Line[], order: Order, onlyMissing: boolean): Line[] {
  const found = lines.filter((one) => !onlyMissing || one.missing > 0)
  if (order === "missing") found.sort((a, b) => b.missing - a.missing)
  if (order === "share") found.sort((a, b) => part(a) - part(b))
  return found
}
const part = (one: Line) => (one.expected ? one.sampled / one.expected : 1)

/** expected = sampled + exempt + away + refused + missing; sampled = resulted + invalid + pending */
export function addsUp(one: Line): boolean {
  return (
    one.expected === one.sampled + one.exempt + one.away + one.refused + one.missing &&
    one.sampled === one.resulted + one.invalid + one.pending
  )
}

export interface Tree {
  asOf: Ref<string | null>
  behind: Ref<number>
  closed: Ref<boolean>
  empty: Ref<boolean>
  /** of the area the tree starts from */
  top: Ref<Branch | undefined>
  start: (round: string, area: string) => Promise<void>
  toggle: (area: string) => Promise<void>
  refresh: () => Promise<void>
  shown: (order: Order, onlyMissing: boolean) => Shown[]
}

export function useTree(): Tree {
  const asOf = ref<string | null>(null)
  const behind = ref(0)
  const closed = ref(false)
  const empty = ref(false)
  const top = shallowRef<Branch>()
  const under = reactive(new Map<string, Line[]>())
  const open = reactive(new Set<string>())
  let round = ""
  let from = ""
  const TOP = ""

  async function load(area: string): Promise<Branch> {
    const branch = await ask<Branch>(
      address(`/v1/rounds/${encodeURIComponent(round)}/tree`, { area }),
    )
    asOf.value = branch.as_of
    behind.value = branch.behind_events
    closed.value = branch.closed
    return branch
  }
  async function start(newRound: string, area: string) {
    round = newRound
    from = area
    open.clear()
    under.clear()
    await begin()
    const items = under.get(TOP)!
    if (items.length === 1 && items[0]!.children) await toggle(items[0]!.area)
  }
  async function begin() {
    top.value = await load(from)
    under.set(TOP, top.value.items)
    empty.value = top.value.total.expected === 0
  }
  async function toggle(area: string) {
    if (open.delete(area)) return
    if (!under.has(area)) under.set(area, (await load(area)).items)
    open.add(area)
  }
  /** Ask again for what is unfolded. */
  async function refresh() {
    for (const area of under.keys()) if (area !== TOP && !open.has(area)) under.delete(area)
    await begin()
    for (const area of open) under.set(area, (await load(area)).items)
  }
  function shown(order: Order, onlyMissing: boolean): Shown[] {
    const found: Shown[] = []
    const walk = (area: string, depth: number) => {
      for (const line of ordered([...(under.get(area) ?? [])], order, onlyMissing)) {
        const isOpen = open.has(line.area)
        found.push({ line, depth, open: isOpen, more: line.children > 0 })
        if (isOpen) walk(line.area, depth + 1)
      }
    }
    walk(TOP, 0)
    return found
  }
  return { asOf, behind, closed, empty, top, start, toggle, refresh, shown }
}
