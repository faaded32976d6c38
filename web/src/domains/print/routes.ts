import type { RouteRecordRaw } from "vue-router"

const routes: RouteRecordRaw[] = [
  {
    path: "/print",
    name: "print",
    component: () => import("./PrintRoom.vue"),
    meta: {
      title: "print.title",
      group: "decide",
      order: 40,
      right: ["people", "sites", "boxes", "accounts"],
      context: true,
    },
  },
]
export default routes
