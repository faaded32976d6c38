// What is spoken from recordings (tools/record_voices.py makes them).
export const WORDS = [
  ...Array.from({ length: 20 }, (_, n) => `n${n + 1}`),
  "full",
  "sealed",
  "repeat",
  "unknown",
  "scan_tube",
  "priority",
  "wrong",
  "saved",
]
