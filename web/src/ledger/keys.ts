// Keys of a device. The queue is encrypted with the device's key, which cannot be exported. The slice is
// encrypted with a random data key; each holder has a key pair, whose secret half is wrapped twice: by a key
// from their PIN and by the device's key. So a copied database opens nothing without the phone, the phone shows
// nothing without a PIN, and a new data key can be given to everybody without asking for their PINs.
import { Aes256Gcm, CipherSuite, DhkemP256HkdfSha256, HkdfSha256 } from "@hpke/core"

import { utf8 } from "./bytes"
import type { Store } from "./store"

export const suite = new CipherSuite({
  kem: new DhkemP256HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Aes256Gcm(),
})
export const ENC_BYTES = 65
const IV_BYTES = 12
const AES = { name: "AES-GCM", length: 256 }
export const WRONG_PINS_MOST = 10
// OWASP's figure for PBKDF2-SHA256 would lock an old phone for seconds; the second wrapping by a key that
// cannot leave the phone is what guards six digits.
export const ROUNDS = 210_000

export class WrongPin extends Error {
  constructor(readonly left: number) {
    super(`wrong PIN, ${left} left`)
  }
}
/** After too many wrong PINs the slice is gone; the queue is not. */
export class Wiped extends Error {}

type Bytes = Uint8Array<ArrayBuffer>

export async function encrypt(key: CryptoKey, plain: Bytes): Promise<Bytes> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, plain)
  const out = new Uint8Array(IV_BYTES + sealed.byteLength)
  out.set(iv)
  out.set(new Uint8Array(sealed), IV_BYTES)
  return out
}

export async function decrypt(key: CryptoKey, sealed: Bytes): Promise<Bytes> {
  const iv = sealed.subarray(0, IV_BYTES)
  const body = sealed.subarray(IV_BYTES)
  return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, body))
}

/** The device's own key, made at its first start. */
export async function deviceKey(store: Store): Promise<CryptoKey> {
  const made = await crypto.subtle.generateKey(AES, false, ["encrypt", "decrypt"])
  return store.transaction("rw", store.facts, async () => {
    const kept = await store.fact<CryptoKey>("device_key")
    if (kept) return kept
    await store.keep("device_key", made)
    return made
  })
}

const importKey = (raw: Bytes, usages: KeyUsage[] = ["encrypt", "decrypt"]) =>
  crypto.subtle.importKey("raw", raw, AES, false, usages)

async function pinKey(pin: string, salt: Bytes): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey("raw", utf8(pin), "PBKDF2", false, ["deriveKey"])
  const how = { name: "PBKDF2", hash: "SHA-256", salt, iterations: ROUNDS }
  return crypto.subtle.deriveKey(how, material, AES, false, ["encrypt", "decrypt"])
}

/** The bytes that only whoever has the secret half of `open` can read: `enc` and ciphertext. */
export async function sealTo(open: Bytes, plain: Bytes): Promise<Bytes> {
  const recipientPublicKey = await suite.kem.deserializePublicKey(open)
  const { enc, ct } = await suite.seal({ recipientPublicKey }, plain)
  const out = new Uint8Array(enc.byteLength + ct.byteLength)
  out.set(new Uint8Array(enc))
  out.set(new Uint8Array(ct), enc.byteLength)
  return out
}

async function openWith(secret: Bytes, sealed: Bytes): Promise<Bytes> {
  const recipientKey = await suite.kem.deserializePrivateKey(secret)
  const enc = sealed.slice(0, ENC_BYTES)
  return new Uint8Array(await suite.open({ recipientKey, enc }, sealed.slice(ENC_BYTES)))
}

/** Let somebody unlock the slice with a PIN. `raw` is the data key in use, where somebody has unlocked it;
 * else it is replaced, which empties the slice (it is fetched again) and shuts nobody out. */
export async function addHolder(
  store: Store,
  device: CryptoKey,
  who: { login: string; name: string | null },
  pin: string,
  raw: Bytes | null,
): Promise<Bytes> {
  const key = raw ?? crypto.getRandomValues(new Uint8Array(32))
  const pair = await suite.kem.generateKeyPair()
  const secret = new Uint8Array(await suite.kem.serializePrivateKey(pair.privateKey))
  const open = new Uint8Array(await suite.kem.serializePublicKey(pair.publicKey))
  const salt = crypto.getRandomValues(new Uint8Array(16))
  const wrapped = await encrypt(device, await encrypt(await pinKey(pin, salt), secret))
  const fresh = { ...who, salt, secret: wrapped, open, at: Date.now() }
  const others = (await store.holders.toArray()).filter((one) => one.login !== who.login)
  const resealed = raw
    ? []
    : await Promise.all(
        others.map(async (one) => ({ ...one, sealed: await sealTo(one.open, key) })),
      )
  const mine = { ...fresh, sealed: await sealTo(open, key) }
  await store.transaction("rw", store.holders, store.slice, store.facts, async () => {
    if (!raw) {
      await store.slice.clear()
      await store.facts.delete("slice")
    }
    await store.holders.bulkPut([...resealed, mine])
  })
  return key
}

/** The data key as bytes. Raises WrongPin; Wiped after the tenth wrong one, when the slice and every PIN are
 * gone from this device. */
export async function unlock(
  store: Store,
  device: CryptoKey,
  login: string,
  pin: string,
): Promise<Bytes> {
  const holder = await store.holders.get(login)
  if (!holder) throw new Wiped()
  // Counted before it is tried: closing the app in between gives no attempt back.
  const wrong = await store.transaction("rw", store.facts, async () => {
    const before = ((await store.fact<number>("wrong_pins")) ?? 0) + 1
    await store.keep("wrong_pins", before)
    return before
  })
  try {
    const inner = await decrypt(device, holder.secret)
    const secret = await decrypt(await pinKey(pin, holder.salt), inner)
    const raw = await openWith(secret, holder.sealed)
    await store.keep("wrong_pins", 0)
    return raw
  } catch {
    if (wrong >= WRONG_PINS_MOST) {
      await wipeSlice(store)
      throw new Wiped()
    }
    throw new WrongPin(WRONG_PINS_MOST - wrong)
  }
}

export const dataKey = (raw: Bytes): Promise<CryptoKey> => importKey(raw)

/** Throw away what the phone knows of people, never what it owes. */
export async function wipeSlice(store: Store): Promise<void> {
  await store.transaction("rw", store.slice, store.holders, store.facts, async () => {
    await store.slice.clear()
    await store.holders.clear()
    await store.facts.bulkDelete(["slice", "wrong_pins"])
  })
}
