import type { RouteRecordRaw } from "vue-router"

const routes: RouteRecordRaw[] = [
  {
    path: "/sites",
    name: "sites",
    component: () => import("./SitesPage.vue"),
    meta: { title: "sites.title", group: "records", order: 10, right: "sites" },
  },
  {
    path: "/sites/:site",
    name: "site",
    component: () => import("./SitePage.vue"),
    meta: { title: "sites.one", right: "sites", help: "sites" },
  },
]
export default routes
