import type { RouteRecordRaw } from "vue-router"

const routes: RouteRecordRaw[] = [
  {
    path: "/rounds",
    name: "rounds",
    component: () => import("./RoundsPage.vue"),
    meta: { title: "rounds.title", group: "decide", order: 10, right: "rounds" },
  },
  {
    path: "/rounds/:id",
    name: "round",
    component: () => import("./RoundPage.vue"),
    props: true,
    meta: { title: "rounds.one", right: "balance", help: "rounds" },
  },
]
export default routes
