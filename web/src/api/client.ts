// Questions to the server. Types come from its OpenAPI document (src/generated/api.d.ts).
//
// Nothing a person typed is lost to the network: a question that only reads is asked again until it is
// answered; one that changes something is not repeated by itself but fails with words that say so, and the
// form stays. Where the session is over, the question waits until its holder has signed in again.
import createClient, { type Middleware } from "openapi-fetch"
import { ref } from "vue"

import { preferences } from "@/app/preferences"
import type { paths } from "@/generated/api"

export interface ProblemDetails {
  type: string
  title: string
  status: number
  detail: string
  facts: Record<string, string>
}

/** What the server answered instead of what was asked for; `message` is for people. */
export class Problem extends Error {
  readonly slug: string
  readonly status: number
  readonly facts: Record<string, string>
  constructor(details: ProblemDetails) {
    super(details.detail || details.title)
    this.slug = details.type.split(":").at(-1) ?? ""
    this.status = details.status
    this.facts = details.facts ?? {}
  }
}

/** The server cannot be reached: nothing is known of what was sent. */
export class Unreachable extends Error {}

export const csrf = ref("")
export const reachable = ref(true)

type SignInAgain = () => Promise<boolean>
let signInAgain: SignInAgain = async () => false

/** Whom a question asks when nobody is signed in: resolves once somebody is. */
export function onSignedOut(asked: SignInAgain): void {
  signInAgain = asked
}

const LATER = new Set([429, 502, 503, 504])
const AGAIN_MS = [500, 1000, 2000, 4000, 8000]
const SAFE = new Set(["GET", "HEAD"])

/** Whether the answer says that nobody is signed in; looking who is, is no reason to ask for a sign-in. */
async function hasEnded(request: Request, answer: Response): Promise<boolean> {
  if (new URL(request.url).pathname === "/v1/session") return false
  const said = (await answer.clone().json()) as ProblemDetails
  return said.type.endsWith(":not-signed-in")
}

export async function patient(request: Request): Promise<Response> {
  for (let turn = 0; ; turn++) {
    const one = request.clone()
    one.headers.set("accept-language", preferences.language === "zh" ? "zh-CN" : "en")
    if (csrf.value) one.headers.set("x-muster-csrf", csrf.value)
    let answer: Response | undefined
    try {
      answer = await fetch(one)
      reachable.value = !LATER.has(answer.status) || answer.status === 429
    } catch (error) {
      if (request.signal.aborted) throw error
      reachable.value = false
      if (!SAFE.has(request.method)) throw new Unreachable()
    }
    if (answer?.status === 401 && (await hasEnded(request, answer))) {
      if (await signInAgain()) continue
      return answer
    }
    const later = answer === undefined || (SAFE.has(request.method) && LATER.has(answer.status))
    if (!later) return answer!
    const asked = Number(answer?.headers.get("retry-after") ?? 0) * 1000
    await new Promise((wake) => setTimeout(wake, Math.max(asked, AGAIN_MS[Math.min(turn, 4)]!)))
    if (request.signal.aborted) throw new DOMException("", "AbortError")
  }
}

const refusals: Middleware = {
  async onResponse({ response }) {
    if (!response.ok) throw new Problem((await response.json()) as ProblemDetails)
  },
}

export const api = createClient<paths>({ baseUrl: location.origin, fetch: patient })
api.use(refusals)

/** Ask a path whose answer has no type of its own in the document. Raises Problem, Unreachable. */
export async function ask<T>(
  path: string,
  { method, body, signal }: { method?: string; body?: unknown; signal?: AbortSignal } = {},
): Promise<T> {
  const answer = await patient(
    new Request(new URL(path, location.origin), {
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
    }),
  )
  const text = await answer.text()
  const said = text ? (JSON.parse(text) as unknown) : undefined
  if (!answer.ok) throw new Problem(said as ProblemDetails)
  return said as T
}

/** A page of a list. */
export interface Page<Row> {
  items: Row[]
  next: string | null
}

/** A path with its question: empty values are left out. */
export function address(path: string, question: Record<string, unknown> = {}): string {
  const said = Object.entries(question).filter(([, v]) => v !== "" && v !== null && v !== undefined)
  const text = new URLSearchParams(said.map(([k, v]) => [k, String(v)])).toString()
  return text ? `${path}?${text}` : path
}
