// What cannot be true of some figures, in words.
import { say } from "@/i18n"
import type { components } from "@/generated/api"
import { count } from "@/ui/format"

export type Finding = components["schemas"]["Finding"]

const percent = (permille: number) => `${permille / 10}%`

export function words(one: Finding): string {
  const isShare = one.kind === "share_over_100" || one.kind === "share_differs"
  return say(`overview.findings.${one.kind}`, {
    name: one.name ?? say(`overview.findings.${one.kind === "rest_over_100" ? "rest" : "whole"}`),
    figure: say(`overview.figure.${one.figure}`),
    said: isShare ? percent(one.said) : count(one.said),
    found: isShare || one.kind === "rest_over_100" ? percent(one.found) : count(one.found),
    of: count(one.of),
  })
}
