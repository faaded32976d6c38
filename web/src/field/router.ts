import { createRouter, createWebHistory } from "vue-router"

import { device, holder, inWords, trouble } from "./ledger"

// Each page of work names the right that its holder needs; the home page shows those they have.
export const router = createRouter({
  history: createWebHistory("/field/"),
  routes: [
    { path: "/", name: "home", component: () => import("./pages/HomePage.vue") },
    { path: "/enrol", name: "enrol", component: () => import("./pages/EnrolPage.vue") },
    { path: "/who", name: "who", component: () => import("./pages/WhoPage.vue") },
    { path: "/join", name: "join", component: () => import("./pages/JoinPage.vue") },
    { path: "/queue", name: "queue", component: () => import("./pages/QueuePage.vue") },
    { path: "/settings", name: "settings", component: () => import("./pages/SettingsPage.vue") },
    { path: "/tube", name: "tube", component: () => import("./sampling/TubePage.vue") },
    { path: "/tubes", name: "tubes", component: () => import("./sampling/TubesPage.vue") },
    { path: "/site", name: "site", component: () => import("./site/SitePage.vue") },
    { path: "/waiting", name: "waiting", component: () => import("./site/WaitingPage.vue") },
    { path: "/supplies", name: "supplies", component: () => import("./site/SuppliesPage.vue") },
    { path: "/check", name: "check", component: () => import("./site/CheckPage.vue") },
    { path: "/balance", name: "balance", component: () => import("./site/BalancePage.vue") },
    { path: "/pack", name: "pack", component: () => import("./custody/PackPage.vue") },
    { path: "/handover", name: "handover", component: () => import("./custody/HandOverPage.vue") },
    { path: "/carry", name: "carry", component: () => import("./custody/CarryPage.vue") },
    { path: "/reception", name: "reception", component: () => import("./lab/ReceptionPage.vue") },
    { path: "/doors", name: "doors", component: () => import("./home/DoorsPage.vue") },
    { path: "/door", name: "door", component: () => import("./home/DoorPage.vue") },
    { path: "/buildings", name: "buildings", component: () => import("./grid/BuildingsPage.vue") },
    { path: "/building", name: "building", component: () => import("./grid/BuildingPage.vue") },
    { path: "/:rest(.*)", redirect: "/" },
  ],
  scrollBehavior: () => ({ top: 0 }),
})

const OPEN = new Set(["enrol", "who", "join", "queue", "settings"])

router.beforeEach((to) => {
  // The code of an enrolment's QR stands behind the #, so that it is in no log.
  if (to.hash.startsWith("#enrol=")) return { name: "enrol", query: { code: to.hash.slice(7) } }
  if (!device.value && !["enrol", "settings"].includes(String(to.name))) return { name: "enrol" }
  if (!holder.value && !OPEN.has(String(to.name))) return { name: "who" }
  return true
})

// A page that could not be opened says so: a tap that does nothing is tapped for ever.
router.onError((error) => (trouble.value = inWords(error)))
