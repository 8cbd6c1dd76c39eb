import vue from "@vitejs/plugin-vue";
import { storefront } from "storefront-core/vite";
import { defineConfig } from "vite";

// The storefront responds on the origin of the page, so cookies work without CORS.
export default defineConfig({
  plugins: [vue(), storefront()],
  server: { host: "127.0.0.1", port: Number(process.env.PORT ?? 5173), strictPort: true },
});
