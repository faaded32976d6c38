// Every domain's routes, gathered; a page names the right it needs and where it stands in the menu.
import { createRouter, createWebHistory, type RouteRecordRaw } from "vue-router"

declare module "vue-router" {
  interface RouteMeta {
    /** key of the page's name */
    title: string
    /** the right one needs, or several of which one is enough */
    right?: string | string[]
    /** where in the menu; left out: not in the menu */
    group?: "watch" | "work" | "records" | "decide" | "system"
    order?: number
    icon?: string
    /** whether the page speaks of a round and an area, chosen in the top bar */
    context?: boolean
    /** the help text's name, where it is not the route's */
    help?: string
  }
}

const files = import.meta.glob<{ default: RouteRecordRaw[] }>("../{app,domains/*}/routes.ts", {
  eager: true,
})
export const pages: RouteRecordRaw[] = Object.values(files).flatMap((file) => file.default)

export const router = createRouter({
  history: createWebHistory("/console/"),
  routes: [
    ...pages,
    {
      path: "/:rest(.*)*",
      name: "nothing",
      component: () => import("./NothingHere.vue"),
      meta: { title: "app.nothing_here" },
    },
  ],
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
})
