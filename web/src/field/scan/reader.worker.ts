// Reads codes in pictures, away from the page: zxing compiled to WebAssembly, from our own server.
import { prepareZXingModule, readBarcodes, type ReaderOptions } from "zxing-wasm/reader"
import wasm from "zxing-wasm/reader/zxing_reader.wasm?url"

prepareZXingModule({
  overrides: { locateFile: (path: string) => (path.endsWith(".wasm") ? wasm : path) },
  fireImmediately: true,
})
const WANTED: ReaderOptions = {
  formats: ["QRCode", "DataMatrix", "Code128"],
  tryHarder: true,
  tryRotate: true,
  tryInvert: false,
  tryDownscale: true,
  maxNumberOfSymbols: 1,
}

addEventListener("message", (event: MessageEvent<{ picture: ImageData }>) => {
  const began = performance.now()
  readBarcodes(event.data.picture, WANTED)
    .then((found) => found.find((one) => one.isValid)?.text ?? null)
    .catch((error: unknown) => ({ error: String(error) }))
    .then((text) => postMessage({ text, ms: performance.now() - began }))
})
