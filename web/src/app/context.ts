// The round and the area a page speaks of. Both stand in the address, so that it can be shared; a page
// that is opened without them shows the newest open round and the whole of one's own area.
import { computed, ref, type Ref } from "vue"
import { useRoute, useRouter } from "vue-router"

import { ask, type Page } from "@/api/client"
import { who } from "./session"

export interface Round {
  round: string
  name: string
  areas: string[]
  starts_at: string
  ends_at: string
  opened_at: string
  closed_at: string | null
}
export interface Area {
  area: string
  code: string
  name: string
  level: string
}

export const rounds = ref<Round[]>([])
export const roots = ref<Area[]>([])
export const contextReady = ref(false)

/** Load what there is to choose from. */
export async function loadContext(): Promise<void> {
  const own = who.value?.rights ?? []
  if (own.includes("rounds")) rounds.value = await ask<Round[]>("/v1/rounds")
  if (own.includes("areas")) roots.value = (await ask<Page<Area>>("/v1/areas")).items
  contextReady.value = true
}

/** The area one starts from: that of one's role, or the root of the tree. */
export function homeArea(): string {
  const roles = who.value?.roles ?? []
  if (!roles.some((one) => one.everywhere)) {
    const own = roles.find((one) => one.area_code)
    if (own?.area_code) return own.area_code
  }
  return roots.value[0]?.code ?? ""
}

export function useContext(): {
  round: Ref<string>
  area: Ref<string>
  current: Ref<Round | undefined>
} {
  const route = useRoute()
  const router = useRouter()
  const part = (name: "round" | "area", usual: () => string) =>
    computed({
      get: () => (route.query[name] as string | undefined) ?? usual(),
      set: (value) =>
        void router.replace({ query: { ...route.query, [name]: value || undefined } }),
    })
  const usualRound = () =>
    (rounds.value.find((one) => !one.closed_at) ?? rounds.value[0])?.round ?? ""
  const round = part("round", usualRound)
  const area = part("area", homeArea)
  const current = computed(() => rounds.value.find((one) => one.round === round.value))
  return { round, area, current }
}
