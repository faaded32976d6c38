// What is scanned or typed: a person's printed code, a document number, a tube's label. The same rules as
// muster/registry/engine/personal_code.py and identity.py; the cases in codes.test.ts come from there.
import { sha256 } from "@noble/hashes/sha2.js"

import { fromHex } from "./bytes"

const ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
const LENGTH = 12
const BASE = 31n
const SPACE = BASE ** 10n
export const PERSON = "P:"
export const SITE = "S:"

export class CodeMistyped extends Error {}

/** The number a resident's code stands for: the first 60 bits of sha256 of the id, modulo 31^10. */
export function numberOf(resident: string): bigint {
  const hash = sha256(fromHex(resident.replaceAll("-", "")))
  return (new DataView(hash.buffer, hash.byteOffset).getBigUint64(0) >> 4n) % SPACE
}

/** Whether a text is meant as a person's code: by its prefix, or by its length and letters. */
export function isPersonalCode(said: string): boolean {
  const plain = said.trim().toUpperCase()
  return plain.startsWith(PERSON) || tidy(plain).length === LENGTH
}

function tidy(said: string): string {
  const plain = said.trim().toUpperCase().replace(PERSON, "").replace(/[\s-]/g, "")
  return [...plain].every((one) => ALPHABET.includes(one)) ? plain : ""
}

/** The codes of a home's paper are joined with `+`. */
export const homeCodes = (said: string): string[] => said.split("+").slice(0, 8)

/** The number of a code as printed or typed, and the id where the code holds it (`P:CODE.ID`). Raises
 * CodeMistyped for one that no printer made. */
export function readCode(said: string): { number: bigint; id: string | null } {
  const [head, tail] = said.trim().toUpperCase().split(".", 2) as [string, string | undefined]
  const code = tidy(head)
  const places = [...code].map((one) => ALPHABET.indexOf(one))
  const sum = places.reduce((all, one) => all + one, 0)
  const weighted = places.reduce((all, one, n) => all + one * (n + 1), 0)
  if (places.length !== LENGTH || sum % 31 || weighted % 31) throw new CodeMistyped()
  let number = 0n
  for (const place of places.slice(0, LENGTH - 2).reverse()) number = number * BASE + BigInt(place)
  if (!tail) return { number, id: null }
  const id = crockford(tail)
  if (!id || numberOf(id) !== number) throw new CodeMistyped()
  return { number, id }
}

function crockford(said: string): string | null {
  if (said.length !== 26) return null
  let value = 0n
  for (const one of said) {
    const place = CROCKFORD.indexOf(one)
    if (place < 0) return null
    value = value * 32n + BigInt(place)
  }
  const hex = value.toString(16).padStart(32, "0")
  if (hex.length > 32) return null
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")
}

const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
const CHECKS = "10X98765432"

export interface Document {
  number: string
  kind: "resident_id" | null // null: another document, of which the server finds the kind
  fine: boolean // of an ID card: its check digit and birth date are possible
  birthYear: number | null
  birthDate: string | null
  sex: "male" | "female" | null
}

/** A document number as typed: an ID card (GB 11643) with what it tells, or another document as it is. */
export function readDocument(said: string, today = new Date()): Document {
  const number = said.normalize("NFKC").replace(/[\s-]/g, "").toUpperCase()
  const other: Document = {
    number,
    kind: null,
    fine: true,
    birthYear: null,
    birthDate: null,
    sex: null,
  }
  if (!/^(\d{17}[\dX]|\d{15})$/.test(number)) return other
  const whole = number.length === 18 ? number : lengthened(number)
  const [year, month, day] = [whole.slice(6, 10), whole.slice(10, 12), whole.slice(12, 14)]
  const birthDate = `${year}-${month}-${day}`
  const born = new Date(`${birthDate}T00:00:00Z`)
  const possible =
    !Number.isNaN(born.valueOf()) &&
    born.toISOString().startsWith(birthDate) &&
    born <= today &&
    Number(year) >= 1880
  return {
    number: whole,
    kind: "resident_id",
    fine: possible && checkOf(whole) === whole[17],
    birthYear: possible ? Number(year) : null,
    birthDate: possible ? birthDate : null,
    sex: Number(whole[16]) % 2 ? "male" : "female",
  }
}

/** A number of fifteen digits is of before 2000: the century and the check are added. */
function lengthened(number: string): string {
  const seventeen = `${number.slice(0, 6)}19${number.slice(6)}`
  return seventeen + checkOf(seventeen)
}

function checkOf(number: string): string {
  const sum = WEIGHTS.reduce((all, weight, n) => all + weight * Number(number[n]), 0)
  return CHECKS[sum % 11]!
}
