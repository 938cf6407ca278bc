import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/**
 * The page: `npx vite build collector/web` writes `collector/web/dist`, which the collector serves.
 * Nothing is inlined, because the page is served with `default-src 'self'`.
 */
export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2024",
    cssTarget: "chrome123",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
