// Scans and taps come faster than they are saved. What changes the same thing is done one after the other, so
// that each sees what the one before left.
import { attempt } from "./ledger"

export function inTurn(): (work: () => unknown) => Promise<unknown> {
  let turn: Promise<unknown> = Promise.resolve()
  return (work) => (turn = turn.then(() => attempt(async () => work())))
}
