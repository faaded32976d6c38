// Where an alarm leads: the page that lists its records, if this console has it.
import type { RouteLocationRaw, Router } from "vue-router"

type Target = { page: string; query?: Record<string, string> }
const flagged = (flag: string): Target[] => [{ page: "tubes", query: { flag } }]
const TARGETS: Record<string, Target[]> = {
  positive_without_tube: [{ page: "work", query: { kind: "waiting" } }],
  positive_without_members: [{ page: "work", query: { kind: "nobody" } }],
  result_conflict: [{ page: "work", query: { kind: "conflicts" } }],
  result_unproven: [{ page: "work", query: { kind: "unproven" } }],
  result_without_tube: [{ page: "work", query: { kind: "waiting" } }],
  task_overdue: [{ page: "tasks" }, { page: "work" }],
  recall_overdue: [{ page: "recalls" }],
  objection_overdue: [{ page: "work" }],
  stalled: [{ page: "work", query: { kind: "stalled" } }],
  device_gap: [{ page: "devices" }],
  inbox: [{ page: "work", query: { kind: "inbox" } }],
  tube_too_old: [{ page: "figure-tubes", query: { figure: "sealed", exact: "true" } }],
  tube_near_limit: [{ page: "figure-tubes", query: { figure: "sealed", exact: "true" } }],
  hand_over_open: [{ page: "boxes" }],
  hand_over_differs: [{ page: "boxes" }],
  box_too_warm: [{ page: "boxes" }],
  box_too_cold: [{ page: "boxes" }],
  discrepancy_open: [{ page: "work", query: { kind: "cases" } }, { page: "labs" }],
  supply_low: [{ page: "sites" }],
  run_file_waiting: [{ page: "labs" }],
  more_results_than_wells: [{ page: "labs" }],
  result_before_plate: [{ page: "labs" }],
  throughput_over_capacity: [{ page: "labs" }],
  foreign_label: [{ page: "print", query: { what: "labels" } }],
  repooling_refused: [{ page: "labs" }],
  more_sampled_than_declared: [{ page: "coverage" }],
  sums_differ: [{ page: "health" }],
  finish_after_end: [{ page: "figure-persons", query: { figure: "missing" } }],
  figures_implausible: [{ page: "briefings" }],
  person_twice: [{ page: "tubes", query: { flag: "any" } }],
  barcode_twice: [{ page: "tubes", query: { flag: "any" } }],
  barcode_at_two_sites: [{ page: "tubes", query: { flag: "any" } }],
}

/** The first page of an alarm that there is; the round and the area go along. */
export function target(
  router: Router,
  alarm: string,
  kept: Record<string, string>,
): RouteLocationRaw | null {
  const found = (TARGETS[alarm] ?? flagged(alarm)).find((one) => router.hasRoute(one.page))
  return found ? { name: found.page, query: { ...kept, ...found.query } } : null
}
