import type { RouteRecordRaw } from "vue-router"

const routes: RouteRecordRaw[] = [
  {
    path: "/devices",
    name: "devices",
    component: () => import("./DevicesPage.vue"),
    meta: { title: "devices.title", group: "work", order: 40, right: "device_board" },
  },
  {
    path: "/devices/:device",
    name: "device",
    component: () => import("./DevicePage.vue"),
    meta: { title: "devices.one", right: "device_board", help: "devices" },
  },
]
export default routes
