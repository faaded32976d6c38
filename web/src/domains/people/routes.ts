import type { RouteRecordRaw } from "vue-router"

const routes: RouteRecordRaw[] = [
  {
    path: "/people",
    name: "people",
    component: () => import("./PeoplePage.vue"),
    meta: { title: "people.title", group: "records", order: 5, right: "people", context: true },
  },
  {
    path: "/people/:person",
    name: "person",
    component: () => import("./PersonPage.vue"),
    meta: { title: "people.one", right: "people", help: "people" },
  },
]
export default routes
