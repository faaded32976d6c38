// What is recorded at a door, in one tap each, and how the last of it is taken back. Everything goes through
// the ledger, so it is kept before it is shown and sent when there is a network.
import { computed, ref, watch } from "vue"

import type { Found, Outcome } from "@/ledger/doors"
import type { Seen } from "@/ledger/overlay"
import type { Person, Recall } from "@/ledger/slice"
import type { Fact } from "@/ledger/vocabulary"

import { attempt, head, holder, theLedger, useLedger } from "../ledger"
import { setup } from "../sampling/setup"
import { allowSound, buzz, tell } from "../signals"
import { blocksOf } from "./walk"

export const REFUSALS = [
  "unwilling", "unwell", "afraid", "tested_elsewhere", "no_time", "other",
] as const // prettier-ignore
export const EXEMPTIONS = [
  "illness", "infant", "vaccinated_48h", "tested_elsewhere", "bedridden", "other",
] as const // prettier-ignore

// As in muster/access/engine/roles.py: what another role sent would only be held.
const LEADERS = ["grid_worker", "area_lead", "command_post"]
const MAY = {
  exempt: [...LEADERS, "squad"],
  reach: [...LEADERS, "squad"],
  state: LEADERS, // away, back, moved
  call: LEADERS,
}
const roles = computed(() => head.value?.holder.roles ?? [])
export const may = (what: keyof typeof MAY): boolean =>
  roles.value.some((one) => MAY[what].includes(one))
export const mayAsk = computed(() => head.value?.holder.rights.includes("unmask") ?? false)

const over = useLedger((one) => one.over)
/** The buildings of this phone, made anew when the slice or this phone's own work has changed. */
export const blocks = computed(() =>
  head.value ? blocksOf(theLedger().slice?.people() ?? [], head.value, over.value) : [],
)
export const recallOf = (person: Person): Recall | undefined =>
  head.value?.recalls?.find((one) => one.id === person.recall)

/** The round in which something is recorded: the one chosen at the sampling table, else the newest. */
export const roundNow = (): string | null => {
  const rounds = head.value?.rounds.map((one) => one.id) ?? []
  return rounds.includes(setup.round ?? "") ? setup.round : (rounds[0] ?? null)
}

interface Done {
  at: string // the door at which it was done
  what: string // a word of home.done
  people: string[]
  back: Fact[] // what takes it back; none: it cannot be
}
/** What was done last on this phone, the newest last; forgotten when it is locked. */
export const acts = ref<Done[]>([])
/** Where one stands: only what was done there is told and taken back there. */
export const standingAt = ref("")
export const lastHere = computed(() =>
  acts.value.filter((one) => one.at === standingAt.value).at(-1),
)
watch(holder, () => (acts.value = []))
const MOST_ACTS = 20

async function act(what: string, facts: Fact[], back: (made: Seen[]) => Fact[]): Promise<boolean> {
  allowSound()
  const at = standingAt.value
  const done = await attempt(async () => {
    const made = await theLedger().record(facts)
    const people = facts.map((one) => (one.body.person as string | undefined) ?? one.subject)
    acts.value = [...acts.value, { at, what, people, back: back(made) }].slice(-MOST_ACTS)
  })
  if (done) tell("yes", "saved")
  else buzz("no")
  return done
}

/** Take back what was done last at this door, if it can be. */
export async function undo(): Promise<void> {
  const last = lastHere.value
  if (!last?.back.length) return
  const done = await attempt(() => theLedger().record(last.back))
  if (done) acts.value = acts.value.filter((one) => one !== last)
  buzz(done ? "warn" : "no")
}

const causing = (type: string) => (made: Seen[]) =>
  made.map((one) => ({ type, subject: one.subject, body: {}, cause: one.id }))

export const visit = (people: string[], outcome: Outcome, againAt: number | null = null) =>
  act(
    outcome,
    people.map((subject) => ({
      type: "VisitMade",
      subject,
      body: {
        outcome,
        ...(roundNow() && { round: roundNow() }),
        ...(againAt && { again_at: new Date(againAt).toISOString() }),
      },
    })),
    causing("VisitWithdrawn"),
  )

export const refuse = (person: string, reason: (typeof REFUSALS)[number]) =>
  act(
    "refused",
    [{ type: "RefusalRecorded", subject: person, body: { round: roundNow(), reason } }],
    causing("StanceWithdrawn"),
  )

export const exempt = (person: string, reason: (typeof EXEMPTIONS)[number]) =>
  act(
    "exempt",
    [{ type: "ExemptionGranted", subject: person, body: { reason, round: roundNow() } }],
    causing("StanceWithdrawn"),
  )

export const become = (person: Person, state: "away" | "resident" | "moved_away") => {
  const before = over.value.states.get(person.id) ?? person.state
  const said = (to: string): Fact => ({
    type: "ResidentStateChanged",
    subject: person.id,
    body: { state: to },
  })
  return act(state, [said(state)], () => [said(before)])
}

/** They live behind this door now. What the list said before is how it is taken back. */
export const moveHere = (person: Person, building: string, room: string | null) => {
  const from = head.value?.areas[person.building]?.[0]
  const said = (area: string, to: string | null): Fact => ({
    type: "ResidentMoved",
    subject: person.id,
    body: { building: area, ...(to && { room: to }) },
  })
  return act("moved_here", [said(building, room)], () => (from ? [said(from, person.room)] : []))
}

/** A recalled person was told or not found: the later word counts, so there is nothing to take back. */
export const reach = (recall: Recall, how: Found) =>
  act(
    `reached_${how}`,
    [
      {
        type: "MemberReached",
        subject: recall.tube,
        body: { person: recall.person, recall: recall.id, how },
      },
    ],
    () => [],
  )

export const list = (fact: Fact) => act("listed", [fact], () => [])

export const callDown = (building: string, site: string | null) =>
  act(
    "called",
    [
      {
        type: "BuildingCalled",
        subject: building,
        body: { round: roundNow(), ...(site && { to_site: site }) },
      },
    ],
    () => [],
  )
