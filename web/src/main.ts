import "element-plus/theme-chalk/base.css"
import "element-plus/theme-chalk/dark/css-vars.css"
import "./styles/main.css"

import { createApp } from "vue"

import App from "./app/App.vue"
import { apply } from "./app/preferences"
import { router } from "./app/router"
import { i18n } from "./i18n"

apply()
createApp(App).use(i18n).use(router).mount("#app")
