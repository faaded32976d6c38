// Muster's HTTP as the engine asks it: a device's tokens, uploads, the slice. Every failure is one of the
// kinds that the sync knows what to do about.
import { canGzip, gzip, utf8 } from "./bytes"
import type { Answer } from "./outbox"
import type { Store } from "./store"
import { locked } from "./tabs"

export interface Tokens {
  device: string
  code: string
  token: string
  refresh: string
  expires_at: string
}
export interface Receipt {
  answers: Answer[]
  head: { batch: number; seq: number; hash: string }
}

/** No answer: no network, too slow, or the server is down. Nothing is known of what became of it. */
export class NoAnswer extends Error {}

/** The server answered with a problem (RFC 9457). */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly slug: string,
    readonly detail: string,
    readonly retryAfterMs: number,
    readonly facts: Record<string, unknown>,
  ) {
    super(`${status} ${slug}`)
  }
}

export const REVOKED = "device-revoked-now"
const TIMEOUT_MS = 45_000 // an upload of 256 kB over 64 kbit/s takes 32 s
const LEAST_GZIP_BYTES = 1_000
type Body = Uint8Array<ArrayBuffer>

export class Server {
  /** Milliseconds by which the server's clock is ahead of this device's; null until it was measured. */
  offset: number | null = null

  constructor(
    private readonly store: Store,
    private readonly base = "",
    private readonly fetching: typeof fetch = (...args) => fetch(...args),
  ) {}

  async tokens(): Promise<Tokens | undefined> {
    return this.store.fact<Tokens>("tokens")
  }

  /** The device's first tokens, for the code of its QR. */
  async claim(code: string): Promise<Tokens> {
    const tokens = await this.json<Tokens>("/v1/device/tokens", { body: { code } })
    await this.store.keep("tokens", tokens)
    return tokens
  }

  /** Ask with the device's token, which is renewed where it has run out. */
  async ask<T>(path: string, how: How = {}): Promise<T> {
    return (await this.authorised(path, how)).json() as Promise<T>
  }

  async authorised(path: string, how: How = {}): Promise<Response> {
    const tokens = await this.fresh()
    try {
      return await this.send(path, how, tokens.token)
    } catch (error) {
      if (!(error instanceof Refused) || error.slug !== "token-over") throw error
    }
    return this.send(path, how, (await this.renewed(tokens)).token)
  }

  /** Tokens that hold for a while yet. Raises Refused where the device has none any more. */
  async fresh(): Promise<Tokens> {
    const tokens = await this.tokens()
    if (!tokens) throw new Refused(401, "token-over", "", 0, {})
    const left = Date.parse(tokens.expires_at) - Date.now() - (this.offset ?? 0)
    if (left > 30_000) return tokens
    try {
      return await this.renewed(tokens)
    } catch (error) {
      // Its last token stays good for handing in what it has.
      if (error instanceof Refused && error.slug === REVOKED) return tokens
      throw error
    }
  }

  /** The next pair. Only one tab asks for it; the others take what it got. */
  private async renewed(old: Tokens): Promise<Tokens> {
    return locked("muster-tokens", async () => {
      const kept = await this.tokens()
      if (kept && kept.refresh !== old.refresh) return kept
      const body = { refresh: old.refresh }
      const fresh = await this.json<Tokens>("/v1/device/tokens/refresh", { body })
      await this.store.keep("tokens", fresh)
      return fresh
    })
  }

  async upload(text: string): Promise<Receipt> {
    const plain = utf8(text)
    const packs = canGzip() && plain.length >= LEAST_GZIP_BYTES
    const body = packs ? await gzip(plain) : plain
    const headers = { "content-type": "application/json", ...(packs && GZIP) }
    return this.ask<Receipt>("/v1/events", { raw: body, headers, method: "POST" })
  }

  async json<T>(path: string, how: How = {}): Promise<T> {
    return (await this.send(path, how)).json() as Promise<T>
  }

  async send(path: string, how: How, token?: string): Promise<Response> {
    const { body, raw, headers = {}, signal } = how
    const giveUp = new AbortController()
    const clock = setTimeout(() => giveUp.abort(), how.timeoutMs ?? TIMEOUT_MS)
    signal?.addEventListener("abort", () => giveUp.abort())
    const began = Date.now()
    let answer: Response
    let failed = false
    try {
      answer = await this.fetching(this.base + path, {
        method: how.method ?? (body === undefined && !raw ? "GET" : "POST"),
        headers: {
          ...(body !== undefined && { "content-type": "application/json" }),
          ...(token && { authorization: `Bearer ${token}` }),
          ...headers,
        },
        body: raw ?? (body === undefined ? undefined : JSON.stringify(body)),
        signal: giveUp.signal,
        cache: "no-store",
        credentials: token ? "omit" : "same-origin",
      })
      this.measure(answer, began, Date.now())
      failed = !answer.ok
      // The body is waited for here, so that the clock covers it.
      answer = new Response(answer.status === 204 ? null : await answer.arrayBuffer(), answer)
    } catch (error) {
      throw new NoAnswer(String(error))
    } finally {
      clearTimeout(clock)
    }
    if (failed) throw await refusal(answer)
    return answer
  }

  /** From the Date field, whose resolution is a second: good enough to see a clock that is wrong. */
  private measure(answer: Response, began: number, ended: number): void {
    const date = Date.parse(answer.headers.get("date") ?? "")
    if (!Number.isNaN(date)) this.offset = Math.round(date + 500 - (began + ended) / 2)
  }
}

export interface How {
  method?: string
  body?: unknown
  raw?: Body
  headers?: Record<string, string>
  signal?: AbortSignal
  timeoutMs?: number
}

const GZIP = { "content-encoding": "gzip" }

async function refusal(answer: Response): Promise<Refused> {
  const said = (await answer.json().catch(() => ({}))) as Record<string, unknown>
  const type = typeof said.type === "string" ? said.type : ""
  const after = Number(answer.headers.get("retry-after") ?? 0) * 1000
  const slug = type.split(":").at(-1) ?? ""
  const facts = (said.facts ?? {}) as Record<string, unknown>
  return new Refused(answer.status, slug, String(said.detail ?? said.title ?? ""), after, facts)
}
