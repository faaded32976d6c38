// The scanner's program is large: fetched once the app is at rest, so that the camera reads codes without a
// network, too. The service worker keeps it (vite.field.config.ts).
import wasm from "zxing-wasm/reader/zxing_reader.wasm?url"

const REST_MS = 3_000
let asked = false

export function fetchScanner(): void {
  if (asked || !("serviceWorker" in navigator)) return
  asked = true
  setTimeout(() => {
    void navigator.serviceWorker.ready.then(() => fetch(wasm)).catch(() => (asked = false)) // no network: the next time this page is opened
  }, REST_MS)
}
