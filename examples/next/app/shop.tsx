"use client";

import { useRouter } from "next/navigation";
import { useEffect, useState } from "react";
import type { BasketView } from "storefront-core";
import { createRpcClient } from "storefront-core/client";
import type { Methods } from "../lib/storefront";

const rpc = createRpcClient<Methods>({ baseURL: "", shopId: 1001 });

/** Runs in the browser: the same calls travel by HTTP. */
export function Shop({ basket }: { basket: BasketView }) {
  const router = useRouter();
  // The buttons are off until the browser has loaded this script, and while a call runs.
  const [isBusy, setBusy] = useState(true);
  useEffect(() => setBusy(false), []);
  const run = (call: () => Promise<unknown>) => async () => {
    setBusy(true);
    try {
      await call();
      router.refresh();
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <p>{basket.itemCount} items in the basket</p>
      <fieldset disabled={isBusy}>
        <button onClick={run(() => rpc.addItemToBasket({ variantId: 7, quantity: 1 }))}>Add</button>
        <button
          onClick={run(() =>
            rpc.register({ email: createEmail(), password: "correct horse 9", firstName: "Ada" }),
          )}
        >
          Register
        </button>
        <button onClick={run(() => rpc.logout())}>Log out</button>
      </fieldset>
    </>
  );
}

function createEmail(): string {
  return `ada-${crypto.randomUUID()}@example.com`;
}
