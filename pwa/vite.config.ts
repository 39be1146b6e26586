import { defineConfig } from "vite";
import { VitePWA } from "vite-plugin-pwa";
import { mockServer } from "./dev/mock-server.js";

export default defineConfig({
  build: {
    outDir: "../laundryd/daemon/webapp",
    emptyOutDir: true,
    target: "es2022",
    // The page's Content-Security-Policy is default-src 'self': nothing inline, no data: addresses.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
  plugins: [
    mockServer(),
    VitePWA({
      strategies: "injectManifest",
      srcDir: "src",
      filename: "sw.ts",
      // src/main.tsx registers it: only a secure context has service workers.
      injectRegister: false,
      injectManifest: {
        globPatterns: ["**/*.{js,css,html,svg,png,webmanifest}"],
        // Only for who registers with FCM.
        globIgnores: ["assets/fcm-*.js"],
      },
      manifest: {
        id: "/",
        name: "laundryd",
        short_name: "laundryd",
        description: "What every machine of the laundry room is doing",
        start_url: "/",
        scope: "/",
        display: "standalone",
        background_color: "#f4f6f9",
        theme_color: "#1f5fd0",
        icons: [
          { src: "/icons/icon-192.png", sizes: "192x192", type: "image/png" },
          { src: "/icons/icon-512.png", sizes: "512x512", type: "image/png" },
          {
            src: "/icons/maskable-512.png",
            sizes: "512x512",
            type: "image/png",
            purpose: "maskable",
          },
          { src: "/icons/icon.svg", sizes: "any", type: "image/svg+xml" },
        ],
      },
    }),
  ],
});
