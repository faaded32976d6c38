// Why names are shown whole: chosen once for the page, kept in its address so that a reload asks the same.
import { computed, type Ref } from "vue"
import { useRoute, useRouter } from "vue-router"

export function useReason(): Ref<string> {
  const route = useRoute()
  const router = useRouter()
  return computed({
    get: () => (route.query.reason as string | undefined) ?? "",
    set: (value) => void router.replace({ query: { ...route.query, reason: value || undefined } }),
  })
}
