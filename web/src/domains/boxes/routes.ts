import type { RouteRecordRaw } from "vue-router"

const routes: RouteRecordRaw[] = [
  {
    path: "/boxes",
    name: "boxes",
    component: () => import("./BoxesPage.vue"),
    meta: { title: "boxes.title", group: "records", order: 30, right: "boxes" },
  },
  {
    path: "/boxes/:box",
    name: "box",
    component: () => import("./BoxPage.vue"),
    meta: { title: "boxes.one", right: "boxes", help: "boxes" },
  },
]
export default routes
