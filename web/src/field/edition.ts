// New editions of the app: fetched beside the one that runs, started when somebody says so and no tube is open.
import { reactive } from "vue"
import { Workbox } from "workbox-window"

import { theLedger } from "./ledger"

export const edition = reactive({ waiting: false, canRestart: false, starting: false })
const LOOK_MS = 30 * 60_000
// A browser may hold the new worker back while the old one has something to end; a page that leaves frees it.
const PATIENCE_MS = 3_000
let box: Workbox | null = null

/** A tube has been begun: somebody is in it, or its label was scanned. */
async function isBusy(): Promise<boolean> {
  const open = await theLedger().tubes.open()
  return open.some((one) => one.swabs.length > 0 || one.facts.barcode !== null)
}

export async function watchEditions(): Promise<void> {
  if (!("serviceWorker" in navigator)) return
  box = new Workbox("/field/sw.js", { scope: "/field/" })
  const look = async () => {
    edition.canRestart = !(await isBusy())
  }
  box.addEventListener("waiting", () => {
    edition.waiting = true
    void look()
  })
  theLedger().listen(() => {
    if (edition.waiting) void look()
  })
  await box.register()
  setInterval(() => void box?.update().catch(() => {}), LOOK_MS)
}

/** Start the new edition, unless a tube has been opened meanwhile. */
export async function restart(): Promise<void> {
  if (await isBusy()) {
    edition.canRestart = false
    return
  }
  edition.starting = true
  box?.addEventListener("controlling", () => location.reload())
  box?.messageSkipWaiting()
  setTimeout(() => location.reload(), PATIENCE_MS)
}
