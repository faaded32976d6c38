// Speaks: numbers and states from recordings, in the language chosen; anything else, such as a name, with the
// device's voice where it has one of that language, and not at all where it has none.
import { preferences } from "@/app/preferences"

const files = import.meta.glob<string>("./voice/*/*.mp3", {
  eager: true,
  query: "?url",
  import: "default",
})
const playing = new Audio()
let turn = 0

const recorded = (word: string): string | undefined =>
  files[`./voice/${preferences.language}/${word}.mp3`]

/** Say some words, one after the other; what was being said before falls silent. Known words are names of
 * recordings (`n7`, `sealed`); others are spoken as they are. */
export async function speak(words: readonly string[]): Promise<void> {
  const mine = ++turn
  playing.pause()
  globalThis.speechSynthesis?.cancel()
  for (const word of words) {
    if (mine !== turn || !word) return
    const file = recorded(word)
    await (file ? play(file) : pronounce(word))
  }
}

function play(file: string): Promise<void> {
  return new Promise((done) => {
    playing.src = file
    playing.onended = playing.onerror = playing.onpause = () => done()
    playing.play().catch(() => done())
  })
}

function pronounce(text: string): Promise<void> {
  const synthesis = globalThis.speechSynthesis
  const tag = preferences.language === "zh" ? "zh" : "en"
  const voice = synthesis?.getVoices().find((one) => one.lang.toLowerCase().startsWith(tag))
  if (!synthesis || !voice) return Promise.resolve()
  return new Promise((done) => {
    const said = new SpeechSynthesisUtterance(text)
    said.voice = voice
    said.onend = said.onerror = () => done()
    synthesis.speak(said)
  })
}
