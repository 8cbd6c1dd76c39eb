import { defineConfig } from "vite";
import { storefront } from "storefront-core/vite";

export default defineConfig({ plugins: [storefront()] });
