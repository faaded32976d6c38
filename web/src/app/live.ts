// What the server sends by itself: one connection a page, kept up for as long as the page is open.
import { onScopeDispose, ref, watch, type Ref } from "vue"

export type LiveState = "off" | "connecting" | "live" | "away"

/** Listen to a stream of server-sent events whose messages are JSON; `null` is no stream. The browser
 * connects again by itself; `state` says how it stands. */
export function useLive<T>(
  path: Ref<string | null>,
  heard: (message: T, event: string) => void,
  events: string[] = ["message"],
): { state: Ref<LiveState> } {
  const state = ref<LiveState>("off")
  let source: EventSource | null = null
  let again: ReturnType<typeof setTimeout> | undefined

  function close() {
    clearTimeout(again)
    source?.close()
    source = null
  }
  function open() {
    close()
    state.value = path.value ? "connecting" : "off"
    if (!path.value) return
    source = new EventSource(path.value)
    source.onopen = () => (state.value = "live")
    source.onerror = () => {
      state.value = "away"
      // A server that answered with an error is not asked again by the browser itself.
      if (source?.readyState === EventSource.CLOSED)
        again = setTimeout(open, 5000 + Math.random() * 5000)
    }
    for (const name of events) {
      source.addEventListener(name, (one) => {
        state.value = "live"
        heard(JSON.parse((one as MessageEvent<string>).data) as T, name)
      })
    }
  }
  watch(path, open, { immediate: true })
  onScopeDispose(close)
  return { state }
}
