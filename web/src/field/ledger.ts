// The one ledger of this page, and what of it pages react to.
import { computed, ref, shallowRef, triggerRef } from "vue"

import { CodeMistyped } from "@/ledger/codes"
import { Wiped } from "@/ledger/keys"
import { Ledger, NoKey } from "@/ledger/ledger"
import { NoPicture } from "@/ledger/photos"
import { NoAnswer, Refused } from "@/ledger/server"
import { StorageFull } from "@/ledger/store"
import type { Tokens } from "@/ledger/server"
import { NoBarcode } from "@/ledger/tubes"

import { watchEditions } from "./edition"
import { say } from "./i18n"

let ledger: Ledger
const ticks = shallowRef({})
export const device = shallowRef<Tokens | null>(null)
/** What went wrong last, in words; empty when it is over. */
export const trouble = ref("")

/** Open the database; everything else waits for it. */
export async function start(): Promise<void> {
  ledger = await Ledger.open()
  ledger.listen(() => triggerRef(ticks))
  device.value = (await ledger.device()) ?? null
  const wake = () => {
    void ledger.sync.wake().then(() => ledger.refresh(false))
  }
  addEventListener("online", wake)
  document.addEventListener("visibilitychange", () => document.hidden || wake())
  setInterval(() => void ledger.refresh(false), 60_000)
  wake()
  void watchEditions()
}

export const theLedger = (): Ledger => ledger

/** Something of the ledger that is looked at anew whenever it changes. */
export function useLedger<T>(look: (ledger: Ledger) => T) {
  return computed(() => {
    void ticks.value
    return look(ledger)
  })
}

export const status = useLedger((one) => one.status)
export const holder = useLedger((one) => one.holder)
export const head = useLedger((one) => one.slice?.head ?? null)
export const holds = (role: string) => head.value?.holder.roles.includes(role) ?? false

/** Do something that may fail; the reason is shown in words. Whether it was done. */
export async function attempt(work: () => Promise<unknown>): Promise<boolean> {
  try {
    trouble.value = ""
    await work()
    return true
  } catch (error) {
    trouble.value = inWords(error)
    return false
  }
}

const WRONG: [new (...said: never[]) => Error, string][] = [
  [NoAnswer, "no_answer"],
  [NoKey, "no_key"],
  [Wiped, "wiped"],
  [CodeMistyped, "mistyped"],
  [NoBarcode, "no_barcode"],
  [NoPicture, "no_picture"],
]

export function inWords(error: unknown): string {
  if (error instanceof Refused && error.detail) return error.detail
  if (error instanceof StorageFull) return say("field.wrong.full")
  // By class, not by its name: what is built has other names.
  const name = WRONG.find(([type]) => error instanceof type)?.[1]
  if (name) return say(`field.wrong.${name}`)
  console.error(error)
  return say("field.wrong.other", { what: String((error as Error).message ?? error) })
}
