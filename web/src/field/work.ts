// What there is to do in the field, and whose work it is. Who holds several roles sees all of it.
const SAMPLERS = ["sampler", "squad", "grid_worker"]

const AT_SITES = [...SAMPLERS, "area_lead", "command_post"]

/** `atArea`: not for who works at a site. */
export const tiles: { name: string; roles: string[]; atArea?: boolean }[] = [
  { name: "tube", roles: SAMPLERS },
  { name: "tubes", roles: SAMPLERS },
  { name: "doors", roles: SAMPLERS, atArea: true },
  { name: "buildings", roles: ["grid_worker"], atArea: true },
  { name: "site", roles: AT_SITES },
  { name: "waiting", roles: AT_SITES },
  { name: "pack", roles: AT_SITES },
  { name: "carry", roles: ["courier"] },
  { name: "reception", roles: ["lab_receiver"] },
  { name: "handover", roles: [...AT_SITES, "courier"] },
  { name: "balance", roles: AT_SITES },
]
