// A squarified treemap (Bruls, Huizing, van Wijk 2000): nested rectangles, their areas as their sizes, as
// near to squares as can be. Pure: values in, rectangles out.

export interface Node {
  id: string
  parent: string | null
  size: number
}
export interface Tile {
  id: string
  x: number
  y: number
  width: number
  height: number
  depth: number
  /** whether others are drawn inside it */
  holds: boolean
}
interface Box {
  x: number
  y: number
  width: number
  height: number
}

/** Rectangles of the root's descendants down to a depth, parents before their children. A parent keeps a
 * strip of `head` for its name where there is room. */
export function treemap(
  nodes: Node[],
  {
    width,
    height,
    depth,
    head = 20,
    gap = 2,
  }: { width: number; height: number; depth: number; head?: number; gap?: number },
): Tile[] {
  const known = new Set(nodes.map((one) => one.id))
  const below = new Map<string, Node[]>()
  let root: Node | undefined
  for (const one of nodes) {
    if (one.parent === null || !known.has(one.parent)) root ??= one
    else below.set(one.parent, [...(below.get(one.parent) ?? []), one])
  }
  const found: Tile[] = []
  function fill(of: Node, box: Box, level: number) {
    const children = (below.get(of.id) ?? []).filter((one) => one.size > 0)
    for (const { node, ...place } of squarified(children, box)) {
      const inner: Box = {
        x: place.x + gap,
        y: place.y + gap,
        width: place.width - 2 * gap,
        height: place.height - 2 * gap,
      }
      const titled = inner.height > head * 2.2 && inner.width > head * 2.5
      if (titled) {
        inner.y += head
        inner.height -= head
      }
      const holds =
        level < depth &&
        (below.get(node.id) ?? []).some((one) => one.size > 0) &&
        inner.width > 6 &&
        inner.height > 6
      found.push({ id: node.id, ...place, depth: level, holds })
      if (holds) fill(node, inner, level + 1)
    }
  }
  if (root) fill(root, { x: 0, y: 0, width, height }, 1)
  return found
}

/** How many characters all of several names end in alike; 0 where a name would be used up by it. */
export function ending(names: string[]): number {
  if (names.length < 3) return 0
  let same = 0
  while (
    names.every((one) => one.at(-1 - same) === names[0]!.at(-1 - same) && one.length > same + 1)
  )
    same++
  return same
}

function squarified(nodes: Node[], box: Box): (Box & { node: Node })[] {
  const sorted = [...nodes].sort((one, other) => other.size - one.size)
  const whole = sorted.reduce((sum, one) => sum + one.size, 0)
  const found: (Box & { node: Node })[] = []
  if (!whole || box.width <= 0 || box.height <= 0) return found
  const scale = (box.width * box.height) / whole
  let left = { ...box }
  let at = 0
  while (at < sorted.length) {
    const side = Math.min(left.width, left.height)
    let end = at + 1
    let sum = sorted[at]!.size * scale
    // A row grows as long as its worst rectangle gets no longer and thinner.
    while (end < sorted.length) {
      const more = sum + sorted[end]!.size * scale
      if (worst(sorted, at, end + 1, more, side, scale) > worst(sorted, at, end, sum, side, scale))
        break
      sum = more
      end++
    }
    const across = side > 0 ? sum / side : 0
    const upright = left.width >= left.height
    let along = upright ? left.y : left.x
    for (const node of sorted.slice(at, end)) {
      const length = across > 0 ? (node.size * scale) / across : 0
      found.push(
        upright
          ? { node, x: left.x, y: along, width: across, height: length }
          : { node, x: along, y: left.y, width: length, height: across },
      )
      along += length
    }
    left = upright
      ? { ...left, x: left.x + across, width: left.width - across }
      : { ...left, y: left.y + across, height: left.height - across }
    at = end
  }
  return found
}

function worst(
  sorted: Node[],
  from: number,
  to: number,
  sum: number,
  side: number,
  scale: number,
): number {
  const largest = sorted[from]!.size * scale
  const least = sorted[to - 1]!.size * scale
  return Math.max((side * side * largest) / (sum * sum), (sum * sum) / (side * side * least))
}
