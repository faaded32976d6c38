import type { components } from "@/generated/api"

export type Kind = components["schemas"]["ReportLine"]["kind"]
export const KINDS: Kind[] = ["daily", "special", "press", "sites", "labs", "coverage"]
