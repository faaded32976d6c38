import type { RouteRecordRaw } from "vue-router"

const routes: RouteRecordRaw[] = [
  {
    path: "/recalls",
    name: "recalls",
    component: () => import("./RecallsPage.vue"),
    meta: { title: "recalls.title", group: "work", order: 10, right: "recalls" },
  },
  {
    path: "/recalls/:tube",
    name: "recall",
    component: () => import("./RecallPage.vue"),
    meta: { title: "recalls.one", right: "recalls", help: "recalls" },
  },
  {
    path: "/results-desk",
    name: "results-desk",
    component: () => import("./ResultsDesk.vue"),
    meta: { title: "recalls.desk", group: "work", order: 20, right: "results", context: true },
  },
]
export default routes
