// What a phone records, as `/v1/vocabulary` describes it. Bodies hold ids, codes, numbers and times; who a
// person is goes beside the event and never into it.

export interface Member {
  person: string
  position: number
}
export type Purpose = "round" | "contact" | "quarantine" | "key_person" | "ad_hoc" | "recall"
export interface TubeFacts {
  barcode: string
  purpose: Purpose
  capacity: number
  round?: string | null
  site?: string | null
  lane?: number | null
  retest_of?: string | null
}
export interface Identity {
  name: string
  kind?: string | null
  number?: string | null
  phone?: string | null
  birth_date?: string | null
}
export interface Envelope {
  id: string
  type: string
  subject: string
  device_at: string
  actor: string
  device: string
  device_seq: number
  body: Record<string, unknown>
  cause?: string
}
export interface Item {
  event: Envelope
  identity?: Identity
  note?: string
}
/** What is to be recorded: the rest of the envelope is the outbox's. */
export interface Fact {
  type: string
  subject: string
  body: Record<string, unknown>
  cause?: string
  identity?: Identity
  note?: string
  id?: string
}
