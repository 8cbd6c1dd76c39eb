import { createRpcClient } from "storefront-core/client";
import type { methods } from "./storefront.config.ts";

const rpc = createRpcClient<typeof methods>({ baseURL: "", shopId: 1001 });
const greeting = document.querySelector("p")!;
const form = document.querySelector("form")!;
const button = document.querySelector("button")!;

/** The button is off while a call runs, so no response overtakes another. */
async function run(call?: Promise<unknown>) {
  button.disabled = true;
  try {
    await call;
    greeting.textContent = await rpc.greet();
  } finally {
    button.disabled = false;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void run(rpc.setName({ name: String(new FormData(form).get("name")) }));
});
await run();
