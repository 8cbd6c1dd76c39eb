import { sveltekit } from "@sveltejs/kit/vite";
import { defineConfig, loadEnv } from "vite";

export default defineConfig(({ mode }) => {
  // The config reads `process.env`, and SvelteKit doesn't add the variables of `.env` to it.
  Object.assign(process.env, loadEnv(mode, ".", ""));
  return { plugins: [sveltekit()] };
});
