// What a scan or a typed text means at a sampling table.
import {
  CodeMistyped,
  homeCodes,
  isPersonalCode,
  readCode,
  readDocument,
  SITE,
} from "@/ledger/codes"
import type { Person, Slice } from "@/ledger/slice"

export type Meaning =
  | { kind: "person"; person: Person }
  | { kind: "home"; people: Person[] }
  | { kind: "unlisted"; id: string } // their code holds their id, the slice does not know them
  | { kind: "document"; number: string } // a document that is nobody's here
  | { kind: "mistyped_document" }
  | { kind: "mistyped_code" }
  | { kind: "nobody" }
  | { kind: "poster" }
  | { kind: "label"; barcode: string }
  | { kind: "words"; words: string }

const DIGITS = /^\d{17}[\dXx]$|^\d{15}$/

/** Pure but for what it asks of the slice. */
export function meaning(said: string, slice: Slice, isLabel: (text: string) => boolean): Meaning {
  const text = said.trim()
  if (text.startsWith(SITE) || /\/r\/s\//.test(text)) return { kind: "poster" }
  if (isPersonalCode(homeCodes(text)[0]!)) return coded(text, slice)
  const plain = text.normalize("NFKC").replace(/[\s-]/g, "")
  if (DIGITS.test(plain) && !isLabel(plain)) {
    const document = readDocument(plain)
    const person = slice.byNumber(document.number)
    if (person) return { kind: "person", person }
    return document.fine
      ? { kind: "document", number: document.number }
      : { kind: "mistyped_document" }
  }
  return isLabel(text) ? { kind: "label", barcode: text } : { kind: "words", words: text }
}

function coded(text: string, slice: Slice): Meaning {
  try {
    const codes = homeCodes(text)
    const people = codes.flatMap((one) => slice.byPersonalCode(one))
    if (people.length > 1) return { kind: "home", people }
    if (people.length === 1) return { kind: "person", person: people[0]! }
    const { id } = readCode(codes[0]!)
    return id ? { kind: "unlisted", id } : { kind: "nobody" }
  } catch (error) {
    if (error instanceof CodeMistyped) return { kind: "mistyped_code" }
    throw error
  }
}

/** Whether a label lies outside every range that this site was given; of none given, none does. */
export function isForeign(
  barcode: string,
  given: readonly { first: string; last: string }[],
): boolean {
  const within = ({ first, last }: { first: string; last: string }) =>
    barcode.length === first.length && first <= barcode && barcode <= last
  return given.length > 0 && !given.some(within)
}

/** Whether a text looks like a label: of a supplier's format in use, or, where none is known, of ten to
 * twenty letters and digits with a digit among them. */
export function labelTest(patterns: readonly string[]): (text: string) => boolean {
  const known = patterns.map((pattern) => {
    const sure = pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&")
    const body = sure.replaceAll("#", "\\d").replaceAll("@", "[A-Za-z]")
    return new RegExp(`^${body.replaceAll("*", "[A-Za-z0-9]")}$`)
  })
  return (text) =>
    known.some((one) => one.test(text)) ||
    (!known.length && /^(?=.*\d)[A-Za-z0-9-]{6,24}$/.test(text) && !DIGITS.test(text))
}
