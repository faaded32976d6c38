import type { RouteRecordRaw } from "vue-router"

const routes: RouteRecordRaw[] = [
  {
    path: "/tubes",
    name: "tubes",
    component: () => import("./TubesPage.vue"),
    meta: { title: "tubes.title", group: "records", order: 20, right: "tubes" },
  },
  {
    path: "/tubes/:tube",
    name: "tube",
    component: () => import("./TubePage.vue"),
    meta: { title: "tubes.one", right: "tubes", help: "tubes" },
  },
]
export default routes
