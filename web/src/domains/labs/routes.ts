import type { RouteRecordRaw } from "vue-router"

const routes: RouteRecordRaw[] = [
  {
    path: "/labs",
    name: "labs",
    component: () => import("./LabsPage.vue"),
    meta: { title: "labs.title", group: "records", order: 40, right: "labs" },
  },
  {
    path: "/labs/:lab",
    name: "lab",
    component: () => import("./LabPage.vue"),
    meta: { title: "labs.one", right: "samples", help: "labs" },
  },
]
export default routes
