/// <reference types="vitest/config" />
import vue from "@vitejs/plugin-vue"
import { fileURLToPath } from "node:url"
import { ElementPlusResolver } from "unplugin-vue-components/resolvers"
import Components from "unplugin-vue-components/vite"
import { defineConfig } from "vite"

// Served by Muster itself below /console/; while developing, `npm run dev` passes questions on to it.
export default defineConfig({
  base: "/console/",
  plugins: [
    vue(),
    Components({
      dirs: [],
      dts: false,
      resolvers: [ElementPlusResolver()],
    }),
  ],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: "../muster/console/built",
    emptyOutDir: true,
    target: ["chrome96", "edge96", "firefox102", "safari15.4"],
    // Old office PCs: what every page needs is one file that stays in the cache over releases of pages.
    chunkSizeWarningLimit: 1600, // the map, loaded where it is shown
    rolldownOptions: { checks: { pluginTimings: false } },
    assetsInlineLimit: 0,
  },
  server: { proxy: { "/v1": "http://127.0.0.1:8321", "/healthz": "http://127.0.0.1:8321" } },
  test: { include: ["src/**/*.test.ts"], environment: "node", testTimeout: 30_000 },
})
