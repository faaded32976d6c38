// What an import is, as the pages speak of it.
import type { components } from "@/generated/api"

export type Import = components["schemas"]["Import"]
export type Imports = components["schemas"]["Imports"]
export type ImportRules = components["schemas"]["ImportRules"]
export type Looked = components["schemas"]["Looked"]
export type FoundFaults = components["schemas"]["FoundFaults"]
export type Kind = ImportRules["kinds"][number]

export const KINDS: Kind[] = [
  "areas",
  "grids",
  "buildings",
  "units",
  "sites",
  "residents",
  "staff",
  "trainings",
]

/** Somebody else works on it: the page looks again until it is over. */
export function isMoving(one: Import): boolean {
  return ["check_waiting", "checking", "waiting", "running"].includes(one.state)
}

/** The step of the way a file has come to, from 1. */
export function stepOf(one: Import): number {
  if (one.state === "receiving") return 1
  if (one.state === "received" || (one.state === "failed" && !one.kind)) return 2
  if (["check_waiting", "checking", "checked"].includes(one.state)) return 3
  return 4
}

/** How far, in whole percent, never 100 before the end. */
export function percent(done: number, total: number): number {
  return total > 0 ? Math.min(99, Math.floor((100 * done) / total)) : 0
}

/** What a field is called: a name is a person's or a place's, and units number their staff themselves. */
export function fieldName(field: string, kind: Kind): string {
  const ofPeople = ["residents", "staff", "trainings"].includes(kind)
  if (field === "name") return ofPeople ? "name" : "title"
  return field === "number" && kind !== "residents" ? "staff_number" : field
}
