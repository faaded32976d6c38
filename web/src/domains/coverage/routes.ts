import type { RouteRecordRaw } from "vue-router"

const routes: RouteRecordRaw[] = [
  {
    path: "/coverage",
    name: "coverage",
    component: () => import("./CoveragePage.vue"),
    meta: { title: "coverage.title", group: "work", order: 10, right: "funnel", context: true },
  },
  {
    path: "/coverage/missing",
    name: "missing",
    component: () => import("./MissingPage.vue"),
    meta: {
      title: "coverage.missing.title",
      group: "work",
      order: 12,
      right: "missing",
      context: true,
      help: "coverage",
    },
  },
  {
    path: "/coverage/waiting",
    name: "waiting-people",
    component: () => import("./WaitingPage.vue"),
    meta: { title: "coverage.waiting.title", right: "missing", context: true, help: "coverage" },
  },
  {
    path: "/coverage/ways",
    name: "ways",
    component: () => import("./WaysPage.vue"),
    meta: {
      title: "coverage.ways.title",
      group: "work",
      order: 14,
      right: "assignments",
      context: true,
      help: "coverage",
    },
  },
  {
    path: "/coverage/doors/:place",
    name: "doors",
    component: () => import("./DoorsPage.vue"),
    props: true,
    meta: { title: "coverage.doors.title", right: "missing", context: true, help: "coverage" },
  },
]
export default routes
