import "../styles/main.css"
import "./field.css"

import { createApp } from "vue"

import { apply } from "@/app/preferences"

import App from "./App.vue"
import { i18n } from "./i18n"
import { start } from "./ledger"
import { router } from "./router"

function begin() {
  apply()
  void start().then(() => createApp(App).use(i18n).use(router).mount("#app"))
}

// check.js says in plain words what this browser lacks; who may go on all the same says so there.
if ((window as { musterCanRun?: boolean }).musterCanRun === false)
  addEventListener("muster-can-run", begin, { once: true })
else begin()
