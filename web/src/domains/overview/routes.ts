import type { RouteRecordRaw } from "vue-router"

const routes: RouteRecordRaw[] = [
  {
    path: "/",
    name: "overview",
    component: () => import("./OverviewPage.vue"),
    meta: { title: "overview.title", group: "watch", order: 10, right: "funnel", context: true },
  },
  {
    path: "/map",
    name: "map",
    component: () => import("./MapPage.vue"),
    meta: {
      title: "overview.map.title",
      group: "watch",
      order: 20,
      right: "funnel",
      context: true,
    },
  },
  {
    path: "/sites-now",
    name: "sites-now",
    component: () => import("./SitesNowPage.vue"),
    meta: {
      title: "overview.sites.title",
      group: "watch",
      order: 30,
      right: "funnel",
      context: true,
    },
  },
  {
    path: "/briefings",
    name: "briefings",
    component: () => import("./BriefingsPage.vue"),
    meta: { title: "overview.briefing.title", group: "watch", order: 60, right: "alarms" },
  },
  {
    path: "/figures/persons",
    name: "figure-persons",
    component: () => import("./FigurePersonsPage.vue"),
    meta: { title: "overview.persons.title", right: "missing", context: true, help: "overview" },
  },
  {
    path: "/figures/tubes",
    name: "figure-tubes",
    component: () => import("./FigureTubesPage.vue"),
    meta: { title: "overview.tubes.title", right: "tubes", context: true, help: "overview" },
  },
]
export default routes
