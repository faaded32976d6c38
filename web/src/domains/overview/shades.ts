// How a figure of an area is coloured: five steps, told apart by lightness, not by hue alone.
import type { components } from "@/generated/api"

export type Piece = components["schemas"]["Piece"]
export type MapData = components["schemas"]["Map"]
export const FIGURES = ["sampled", "missing", "released", "recall_open"] as const
export type MapFigure = (typeof FIGURES)[number]

/** A share in percent for `sampled` and `released`, else a number of persons; null where nobody lives. */
export function value(one: Piece, figure: MapFigure): number | null {
  if (figure === "missing" || figure === "recall_open") return one[figure]
  return one.expected ? (100 * one[figure]) / one.expected : null
}
export const isShare = (figure: MapFigure) => figure === "sampled" || figure === "released"

/** The four borders between five steps: fixed for shares, by the areas' own size for numbers. */
export function steps(pieces: Piece[], figure: MapFigure): number[] {
  if (isShare(figure)) return [50, 80, 95, 100]
  const sorted = pieces
    .map((one) => value(one, figure) ?? 0)
    .filter((one) => one > 0)
    .sort((one, other) => one - other)
  if (!sorted.length) return [1, 2, 3, 4]
  const found = [1]
  for (const part of [0.35, 0.65, 0.9])
    found.push(Math.max(found.at(-1)! + 1, sorted[Math.floor(part * (sorted.length - 1))]!))
  return found
}

/** The areas that are coloured: those at a depth below the first, and higher ones that nothing stands
 * below; or, of those that have a position, the lowest. */
export function coloured(
  pieces: Piece[],
  { depth, placed }: { depth: number; placed: boolean },
): Piece[] {
  if (placed) {
    const some = pieces.slice(1).filter((one) => one.lon_micro !== null)
    const above = new Set(some.map((one) => one.parent))
    return some.filter((one) => !above.has(one.area))
  }
  const depths = new Map<string, number>(pieces.length ? [[pieces[0]!.area, 0]] : [])
  const above = new Set(pieces.map((one) => one.parent))
  return pieces.slice(1).filter((one) => {
    const at = (depths.get(one.parent ?? "") ?? 0) + 1
    depths.set(one.area, at)
    return at === depth || (at < depth && !above.has(one.area))
  })
}

/** What each step stands for. */
export function legend(borders: number[], figure: MapFigure): string[] {
  const [a, b, c, d] = borders as [number, number, number, number]
  if (isShare(figure)) return [`< ${a}%`, `${a}–${b}%`, `${b}–${c}%`, `${c}–100%`, "100%"]
  const span = (from: number, to: number) => (to > from ? `${from}–${to}` : String(from))
  return ["0", span(a, b - 1), span(b, c - 1), span(c, d - 1), `≥ ${d}`]
}

/** The step of a value, 0 to 4; -1 where there is none. */
export function shade(found: number | null, borders: number[]): number {
  return found === null ? -1 : borders.filter((one) => found >= one).length
}
