import { createRpcClient } from "storefront-core/client";
import type { methods } from "./storefront.config.ts";

const rpc = createRpcClient<typeof methods>({ baseURL: "", shopId: 1001 });
const greeting = document.querySelector("p")!;
const form = document.querySelector("form")!;

greeting.textContent = await rpc.greet();

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  await rpc.setName({ name: String(new FormData(form).get("name")) });
  greeting.textContent = await rpc.greet();
});
