import vue from "@vitejs/plugin-vue"
import { fileURLToPath } from "node:url"
import { defineConfig } from "vite"
import { VitePWA } from "vite-plugin-pwa"

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

// The field client: served by Muster below /field/, installed on phones, working without a network.
export default defineConfig({
  root: here("./field"),
  base: "/field/",
  publicDir: here("./public-field"),
  plugins: [
    vue(),
    VitePWA({
      // The page decides when a new edition starts: never while a tube is open.
      registerType: "prompt",
      injectRegister: false,
      manifest: {
        id: "/field/",
        name: "集结 现场 Muster field",
        short_name: "集结现场",
        lang: "zh-CN",
        start_url: "/field/",
        scope: "/field/",
        display: "standalone",
        orientation: "portrait",
        background_color: "#f4f6f8",
        theme_color: "#0b5cad",
        icons: [
          { src: "icon-192.png", sizes: "192x192", type: "image/png" },
          { src: "icon-512.png", sizes: "512x512", type: "image/png" },
          { src: "icon-512.png", sizes: "512x512", type: "image/png", purpose: "maskable" },
        ],
      },
      includeManifestIcons: false, // the pattern below has them
      workbox: {
        globPatterns: ["**/*.{html,js,css,svg,png,mp3,webm}"],
        navigateFallback: "/field/index.html",
        cleanupOutdatedCaches: true,
        clientsClaim: true, // the first visit is served by it at once
        // The scanner is large and not needed for a start: fetched when the app is at rest (scanner.ts).
        runtimeCaching: [
          {
            urlPattern: ({ url }) => url.pathname.endsWith(".wasm"),
            handler: "CacheFirst",
            options: {
              cacheName: "scanner",
              expiration: { maxEntries: 2 },
              // The page fetches it and the worker asks for it: their headers differ, the file does not.
              matchOptions: { ignoreVary: true },
            },
          },
        ],
      },
    }),
  ],
  define: { __EDITION__: JSON.stringify(new Date().toISOString().slice(0, 16)) },
  resolve: {
    alias: [
      // Shared parts speak the words of the client they are in.
      { find: "@/i18n", replacement: here("./src/field/i18n.ts") },
      // What @hpke/common would take from Node where a browser has no crypto.
      { find: /^crypto$/, replacement: here("./src/field/no_crypto.ts") },
      { find: "@", replacement: here("./src") },
    ],
  },
  build: {
    outDir: here("../muster/console/field"),
    emptyOutDir: true,
    // Phones of 2020 and later; check.js tells older ones what they need.
    target: ["chrome87", "edge88", "firefox102", "safari15.4"],
    rolldownOptions: { checks: { pluginTimings: false } },
    assetsInlineLimit: 0,
    cssCodeSplit: false, // all of it is fetched at once; a file each costs its head and packs badly
  },
  server: { proxy: { "/v1": "http://127.0.0.1:8321" } },
})
