import type { RouteRecordRaw } from "vue-router"

const routes: RouteRecordRaw[] = [
  {
    path: "/first-steps",
    name: "first-steps",
    component: () => import("./FirstStepsPage.vue"),
    meta: {
      title: "intake.steps.title",
      group: "decide",
      order: 5,
      right: ["imports", "decide_rounds"],
    },
  },
  {
    path: "/imports",
    name: "imports",
    component: () => import("./ImportsPage.vue"),
    meta: { title: "intake.imports.title", group: "decide", order: 20, right: "imports" },
  },
  {
    path: "/imports/:id",
    name: "import",
    component: () => import("./ImportPage.vue"),
    props: true,
    meta: { title: "intake.import.title", right: "imports", help: "imports" },
  },
  {
    path: "/keying",
    name: "keying",
    component: () => import("./KeyingPage.vue"),
    meta: {
      title: "intake.keying.title",
      group: "work",
      order: 45,
      right: "missing",
      context: true,
    },
  },
]
export default routes
