// Runs the conversation in a process of Node, Bun, or Deno: <command> process.mjs <entry> <storage> [URL of Redis]
import { converse } from "./conversation.mjs";

const [entry, name, url] = globalThis.process.argv.slice(2);
const { createStorefront } = await import(entry);
console.log(JSON.stringify(await converse(createStorefront, await open())));
globalThis.process.exit();

async function open() {
  if (name !== "deno-kv") return { driver: name, ...(url && { url }) };
  const { default: createDriver } = await import("unstorage/drivers/deno-kv");
  const kv = await Deno.openKv(":memory:");
  return createDriver({ openKv: () => kv, base: "storefront" });
}
