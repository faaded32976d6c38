// What the pooling engine says; its answer has no type of its own in the document.
export interface PoolOption {
  size: number
  tests_per_person: number
  called_back: number
  reswab_hours: number
  cost: number
  floor: number
}
export interface PoolAdvice {
  best: PoolOption
  options: PoolOption[]
  reasons: { en: string; zh: string }[]
  pools?: string | null
}
