// What is chosen on a page and stands in its address, so that the address can be shared.
import { computed, type WritableComputedRef } from "vue"
import { useRoute, useRouter } from "vue-router"

/** Makes a choice by its name in the address; its usual value is left out there. */
export function useInAddress(): <T extends string = string>(
  name: string,
  usual?: NoInfer<T>,
) => WritableComputedRef<T> {
  const route = useRoute()
  const router = useRouter()
  return <T extends string>(name: string, usual = "" as NoInfer<T>) =>
    computed<T>({
      get: () => (route.query[name] as T | undefined) ?? usual,
      set: (value) =>
        void router.replace({
          query: { ...route.query, [name]: value === usual ? undefined : value },
        }),
    })
}
