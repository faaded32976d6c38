// The tubes of one phone as codes on its screen, for the phone that makes up the site's balance: device, who
// signs for them, part of how many, barcodes (`+`: in a bag or box of that phone), and a check over all of it, so
// that a text that was cut short or typed is noticed.
import { sha256 } from "@noble/hashes/sha2.js"

import { toHex, utf8 } from "@/ledger/bytes"

const MARK = "MT"
const CODES = 40 // a QR that an old camera reads

const check = (text: string): string => toHex(sha256(utf8(text))).slice(0, 8)

export function toTexts(
  device: string,
  signer: string,
  codes: readonly string[],
  packed: ReadonlySet<string> = new Set(),
): string[] {
  const of = Math.max(1, Math.ceil(codes.length / CODES))
  return Array.from({ length: of }, (_, n) => {
    const part = codes
      .slice(n * CODES, (n + 1) * CODES)
      .map((one) => (packed.has(one) ? "+" : "") + encodeURIComponent(one))
    const who = [device, signer].map(encodeURIComponent)
    const text = [MARK, ...who, `${n + 1}/${of}`, part.join(",")].join(":")
    return `${text}:${check(text)}`
  })
}

export interface Part {
  device: string
  signer: string
  n: number
  of: number
  codes: string[]
  packed: string[]
}

/** A part, or null where the text is none or not whole. */
export function readText(said: string): Part | null {
  const [mark, device, signer, place, codes, sign, more] = said.trim().split(":")
  const where = /^(\d{1,3})\/(\d{1,3})$/.exec(place ?? "")
  if (mark !== MARK || !where || sign === undefined || more !== undefined) return null
  if (check([mark, device, signer, place, codes].join(":")) !== sign) return null
  const listed = codes ? codes.split(",") : []
  const bare = (one: string) => decodeURIComponent(one.replace(/^\+/, ""))
  return {
    device: decodeURIComponent(device!),
    signer: decodeURIComponent(signer!),
    n: Number(where[1]),
    of: Number(where[2]),
    codes: listed.map(bare),
    packed: listed.filter((one) => one.startsWith("+")).map(bare),
  }
}
