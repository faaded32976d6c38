import type { RouteRecordRaw } from "vue-router"

const routes: RouteRecordRaw[] = [
  {
    path: "/reports",
    name: "reports",
    component: () => import("./ReportsPage.vue"),
    meta: {
      title: "reports.title",
      group: "decide",
      order: 30,
      right: "reports",
      context: true,
    },
  },
  {
    path: "/reports/preview/:kind",
    name: "report-preview",
    component: () => import("./PreviewPage.vue"),
    meta: { title: "reports.preview", right: "reports", context: true, help: "reports" },
  },
  {
    path: "/reports/:report",
    name: "report",
    component: () => import("./ReportPage.vue"),
    meta: { title: "reports.report", right: "reports", help: "reports" },
  },
]
export default routes
