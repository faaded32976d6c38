// The screen stays on while a page that needs it is open.
import { onMounted, onUnmounted } from "vue"

export function useAwake(): void {
  let lock: WakeLockSentinel | null = null
  const ask = async () => {
    if (document.hidden) return
    lock = (await navigator.wakeLock?.request("screen").catch(() => null)) ?? null
  }
  onMounted(() => {
    void ask()
    document.addEventListener("visibilitychange", ask)
  })
  onUnmounted(() => {
    document.removeEventListener("visibilitychange", ask)
    void lock?.release()
  })
}
