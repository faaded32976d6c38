// Whom a table serves first: the old, the very young.
import type { Person } from "@/ledger/slice"

const OLD = 65
const YOUNG = 6

export function age(person: Person): number | null {
  return person.birthYear === null ? null : new Date().getFullYear() - person.birthYear
}

export function isPriority(person: Person): boolean {
  const years = age(person)
  return years !== null && (years >= OLD || years <= YOUNG)
}
