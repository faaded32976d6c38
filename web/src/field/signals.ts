// What is heard and felt, so that nobody has to look: a tone, a vibration, a spoken word for each state. Tones
// are made here; numbers and states are spoken from recordings that lie in the app (voice.ts); names by the
// device's own voice, where it has one.
import { preferences } from "@/app/preferences"

import { speak } from "./voice"

export type Signal = "tick" | "yes" | "no" | "warn" | "full" | "sealed" | "extra"
// Hertz and milliseconds; vibration in milliseconds on, off, on …
const TONES: Record<Signal, [hz: number, ms: number][]> = {
  tick: [[1_200, 25]],
  yes: [[880, 90]],
  no: [
    [220, 180],
    [180, 260],
  ],
  warn: [
    [520, 120],
    [420, 160],
  ],
  full: [
    [660, 110],
    [880, 110],
    [1_100, 200],
  ],
  sealed: [
    [880, 90],
    [1_320, 180],
  ],
  extra: [
    [330, 120],
    [330, 120],
    [330, 120],
  ],
}
const FELT: Record<Signal, number[]> = {
  tick: [15],
  yes: [50],
  no: [200, 80, 200],
  warn: [120, 60, 120],
  full: [80, 50, 80, 50, 200],
  sealed: [60, 40, 160],
  extra: [300],
}
let audio: AudioContext | null = null

/** Browsers give sound only after a touch: called at the first one. */
export function allowSound(): void {
  audio ??= new AudioContext()
  void audio.resume()
}

export function buzz(signal: Signal): void {
  navigator.vibrate?.(FELT[signal])
  if (!preferences.sound || !audio) return
  let at = audio.currentTime
  for (const [hz, ms] of TONES[signal]) {
    const tone = audio.createOscillator()
    const level = audio.createGain()
    tone.frequency.value = hz
    tone.type = "square"
    level.gain.setValueAtTime(0.25, at)
    level.gain.exponentialRampToValueAtTime(0.001, at + ms / 1000)
    tone.connect(level).connect(audio.destination)
    tone.start(at)
    at += ms / 1000
    tone.stop(at)
  }
}

/** A signal, and after it the words. */
export function tell(signal: Signal, ...words: string[]): void {
  buzz(signal)
  if (preferences.sound) void speak(words)
}
