// A list as its page sees it: pages of rows that follow each other, asked for as they are scrolled to.
import { ref, shallowRef, type Ref, type ShallowRef } from "vue"

import { address, ask, Problem, Unreachable, type Page } from "@/api/client"
import { wordsOf } from "@/app/notices"

export interface Column<Row> {
  key: string
  label: string
  /** the text of a cell; left out: the row's value under `key` */
  text?: (row: Row) => string
  /** width in rem; left out: what is left over */
  width?: number
  align?: "end"
  tone?: (row: Row) => "good" | "warn" | "bad" | undefined
}

export interface Filter {
  key: string
  label: string
  kind: "text" | "select" | "toggle" | "time" | "area"
  options?: { value: string; label: string }[]
}

export interface Rows<Row> {
  rows: ShallowRef<Row[]>
  state: Ref<"loading" | "ready" | "failed">
  failure: Ref<string>
  done: Ref<boolean>
  reload: () => Promise<void>
  more: () => Promise<void>
}

export const PAGE = 200

/** Rows of a path with a question; a new question begins anew and the old one's answer is not awaited. */
export function useRows<Row>(
  path: () => string,
  question: () => Record<string, unknown>,
): Rows<Row> {
  const rows = shallowRef<Row[]>([])
  const state = ref<"loading" | "ready" | "failed">("loading")
  const failure = ref("")
  const done = ref(false)
  let next: string | null = null
  let asked: AbortController | undefined

  async function fetch(anew: boolean) {
    if (!anew && (state.value === "loading" || done.value)) return
    asked?.abort()
    const mine = (asked = new AbortController())
    state.value = "loading"
    try {
      const found = await ask<Page<Row> | Row[]>(
        address(path(), { ...question(), limit: PAGE, after: anew ? null : next }),
        { signal: mine.signal },
      )
      const page = Array.isArray(found) ? { items: found, next: null } : found
      rows.value = anew ? page.items : [...rows.value, ...page.items]
      next = page.next
      done.value = next === null
      state.value = "ready"
    } catch (error) {
      if (mine.signal.aborted) return
      if (!(error instanceof Problem || error instanceof Unreachable)) throw error
      failure.value = wordsOf(error)
      if (anew) rows.value = []
      state.value = "failed"
    }
  }
  return { rows, state, failure, done, reload: () => fetch(true), more: () => fetch(false) }
}
