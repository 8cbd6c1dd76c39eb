import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";

const { port } = new URL(process.env.PAGE_ORIGIN ?? "http://localhost:5173");

export default defineConfig({
  plugins: [vue()],
  server: { host: "127.0.0.1", port: Number(port), strictPort: true },
});
