// Photos of a site's check: made small, encrypted with the device's key, sent after the records that name them,
// dropped once the server has them.
import { toHex } from "./bytes"
import { decrypt, encrypt } from "./keys"
import { Refused, type Server } from "./server"
import { isFull, StorageFull, type Store } from "./store"

const EDGE = 1280 // pixels: enough to read a label
const MOST_BYTES = 90_000
const REST_MS = 600_000 // until one is tried again whose check the server does not know
const KEEP_MS = 30 * 86_400_000 // of a check that was never recorded

/** What was picked is no picture. */
export class NoPicture extends Error {}

export class Photos {
  private readonly resting = new Map<string, number>()

  constructor(
    private readonly store: Store,
    private readonly key: CryptoKey,
    private readonly server: Server,
    private readonly changed: () => void,
  ) {}

  /** Keep a picture, small; its hash. Raises NoPicture, StorageFull. */
  async take(picture: Blob): Promise<string> {
    const bytes = new Uint8Array(await (await small(picture)).arrayBuffer())
    const hash = toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)))
    const sealed = await encrypt(this.key, bytes)
    try {
      await this.store.photos.put({ hash, at: Date.now(), sealed })
    } catch (error) {
      if (isFull(error)) throw new StorageFull()
      throw error
    }
    this.changed()
    return hash
  }

  async read(hash: string): Promise<Blob | null> {
    const kept = await this.store.photos.get(hash)
    return kept ? new Blob([await decrypt(this.key, kept.sealed)], { type: "image/jpeg" }) : null
  }

  async drop(hash: string): Promise<void> {
    await this.store.photos.delete(hash)
    this.changed()
  }

  count(): Promise<number> {
    return this.store.photos.count()
  }

  /** Send what is kept. One that the server does not want yet keeps back no other. Raises NoAnswer, Refused. */
  async send(): Promise<void> {
    await this.store.photos
      .where("at")
      .below(Date.now() - KEEP_MS)
      .delete()
    for (const { hash, sealed } of await this.store.photos.orderBy("at").toArray()) {
      if ((this.resting.get(hash) ?? 0) > Date.now()) continue
      try {
        const raw = await decrypt(this.key, sealed)
        const headers = { "content-type": "application/octet-stream" }
        await this.server.authorised(`/v1/site-photos/${hash}`, { method: "PUT", raw, headers })
        await this.drop(hash)
      } catch (error) {
        if (!(error instanceof Refused) || ![409, 422].includes(error.status)) throw error
        this.resting.set(hash, Date.now() + REST_MS)
      }
    }
  }
}

/** The picture as a JPEG of at most MOST_BYTES, without what a camera writes beside it (place, time, maker). */
async function small(picture: Blob): Promise<Blob> {
  const whole = await createImageBitmap(picture).catch(() => {
    throw new NoPicture()
  })
  for (let edge = EDGE; ; edge /= 2) {
    const scale = Math.min(1, edge / Math.max(whole.width, whole.height))
    const canvas = document.createElement("canvas")
    canvas.width = Math.max(1, Math.round(whole.width * scale))
    canvas.height = Math.max(1, Math.round(whole.height * scale))
    canvas.getContext("2d")!.drawImage(whole, 0, 0, canvas.width, canvas.height)
    for (const quality of [0.7, 0.5, 0.3]) {
      const found = await new Promise<Blob | null>((done) =>
        canvas.toBlob(done, "image/jpeg", quality),
      )
      if (!found) throw new NoPicture()
      if (found.size <= MOST_BYTES) return found
    }
  }
}
