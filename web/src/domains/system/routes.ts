import type { RouteRecordRaw } from "vue-router"

const routes: RouteRecordRaw[] = [
  {
    path: "/settings",
    name: "settings",
    component: () => import("./SettingsPage.vue"),
    meta: { title: "system.settings.title", group: "system", order: 80 },
  },
  {
    path: "/health",
    name: "health",
    component: () => import("./HealthPage.vue"),
    meta: { title: "system.health.title", group: "system", order: 90, right: "health" },
  },
]
export default routes
