// What a page is in the middle of and has not recorded yet: a bag that is being packed, a box that is being
// emptied, who came to the queue when. Encrypted with the device's key, so that closing the app loses nothing.
import { text, utf8 } from "./bytes"
import { decrypt, encrypt } from "./keys"
import { isFull, StorageFull, type Store } from "./store"

export interface Note {
  name: string
  value: unknown
}
type Sealed = Uint8Array<ArrayBuffer>

export class Notes {
  constructor(
    private readonly store: Store,
    private readonly key: CryptoKey,
  ) {}

  async read<T>(name: string): Promise<T | null> {
    const sealed = await this.store.fact<Sealed>(`note:${name}`)
    return sealed ? (JSON.parse(text(await decrypt(this.key, sealed))) as T) : null
  }

  /** Raises StorageFull. */
  async keep(name: string, value: unknown): Promise<void> {
    const sealed = await this.sealed({ name, value })
    try {
      await this.put(name, sealed)
    } catch (error) {
      if (isFull(error)) throw new StorageFull()
      throw error
    }
  }

  sealed(note: Note): Promise<Sealed> {
    return encrypt(this.key, utf8(JSON.stringify(note.value)))
  }

  put(name: string, sealed: Sealed): Promise<void> {
    return this.store.keep(`note:${name}`, sealed)
  }
}
