// Identifiers that a phone mints (RFC 9562): sorted by time, saved before anything is sent, so that sending
// twice is once.

/** A new UUIDv7. */
export function uuid7(at = Date.now()): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  new DataView(bytes.buffer).setUint32(0, Math.floor(at / 0x10000))
  new DataView(bytes.buffer).setUint16(4, at % 0x10000)
  bytes[6] = (bytes[6]! & 0x0f) | 0x70
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = Array.from(bytes, (one) => one.toString(16).padStart(2, "0")).join("")
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")
}
