import type { RouteRecordRaw } from "vue-router"

const routes: RouteRecordRaw[] = [
  {
    path: "/areas",
    name: "areas",
    component: () => import("./AreasPage.vue"),
    meta: { title: "places.areas", group: "records", order: 50, right: "areas", help: "places" },
  },
  {
    path: "/units",
    name: "units",
    component: () => import("./UnitsPage.vue"),
    meta: { title: "places.units", group: "records", order: 60, right: "units", help: "places" },
  },
  {
    path: "/policies",
    name: "policies",
    component: () => import("./PoliciesPage.vue"),
    meta: {
      title: "places.policies",
      group: "decide",
      order: 70,
      right: "policies",
      help: "places",
    },
  },
]
export default routes
