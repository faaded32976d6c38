import type { RouteRecordRaw } from "vue-router"

const routes: RouteRecordRaw[] = [
  {
    path: "/pooling",
    name: "pooling",
    component: () => import("./PoolingPage.vue"),
    meta: { title: "pooling.title", group: "decide", order: 75, right: "policies" },
  },
]
export default routes
