// Scanners that type: their reading comes as key presses faster than a hand's and ends with Enter or Tab. They
// work on every page, whatever has the focus, except while somebody writes in a field.
import { onMounted, onUnmounted } from "vue"

const BETWEEN_MS = 1000 // nobody types outside of every field, and a busy phone is late
const LEAST = 4

export function useWedge(scanned: (text: string) => void): void {
  let text = ""
  let last = 0
  function typed(event: KeyboardEvent) {
    const target = event.target as HTMLElement | null
    if (target && /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) return
    const now = event.timeStamp
    if (now - last > BETWEEN_MS) text = ""
    last = now
    if (event.key === "Enter" || event.key === "Tab") {
      if (text.length >= LEAST) {
        event.preventDefault()
        event.stopPropagation()
        scanned(text)
      }
      text = ""
    } else if (event.key.length === 1 && !event.ctrlKey && !event.altKey && !event.metaKey)
      text += event.key
  }
  onMounted(() => addEventListener("keydown", typed, true))
  onUnmounted(() => removeEventListener("keydown", typed, true))
}
