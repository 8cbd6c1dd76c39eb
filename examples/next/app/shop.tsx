"use client";

import { useRouter } from "next/navigation";
import type { BasketView } from "storefront-core";
import { createRpcClient } from "storefront-core/client";
import type { Methods } from "../lib/storefront";

const rpc = createRpcClient<Methods>({ baseURL: "", shopId: 1001 });

/** Runs in the browser: the same calls travel by HTTP. */
export function Shop({ basket }: { basket: BasketView }) {
  const router = useRouter();
  const run = (call: () => Promise<unknown>) => async () => {
    await call();
    router.refresh();
  };
  return (
    <>
      <p>{basket.itemCount} items in the basket</p>
      <button onClick={run(() => rpc.addItemToBasket({ variantId: 7, quantity: 1 }))}>Add</button>
      <button
        onClick={run(() =>
          rpc.register({ email: createEmail(), password: "correct horse 9", firstName: "Ada" }),
        )}
      >
        Register
      </button>
      <button onClick={run(() => rpc.logout())}>Log out</button>
    </>
  );
}

function createEmail(): string {
  return `ada-${crypto.randomUUID()}@example.com`;
}
