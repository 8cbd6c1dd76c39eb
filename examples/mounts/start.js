// Starts an example: npm start express
import { existsSync, symlinkSync } from "node:fs";

// In your project, `npm install storefront-core` does this.
const folder = new URL("node_modules/storefront-core", import.meta.url);
if (!existsSync(folder)) symlinkSync("../../..", folder);

const [name = "express"] = process.argv.slice(2);
const origin = await (await import(`./${name}.js`)).start(Number(process.env.PORT ?? 3000));
console.log(`${name} listens on ${origin}`);
