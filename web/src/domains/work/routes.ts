import type { RouteRecordRaw } from "vue-router"

const routes: RouteRecordRaw[] = [
  {
    path: "/work",
    name: "work",
    component: () => import("./WorkPage.vue"),
    meta: {
      title: "work.title",
      group: "work",
      order: 30,
      right: ["conflicts", "waiting", "anomalies", "discrepancies", "missing", "stalled", "inbox"],
    },
  },
]
export default routes
