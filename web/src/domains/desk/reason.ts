// Why names are shown whole: chosen once for the page, kept in its address so that a reload asks the same.
import type { Ref } from "vue"

import { useInAddress } from "@/ui/address"

export const useReason = (): Ref<string> => useInAddress()("reason")
