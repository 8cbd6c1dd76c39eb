import { refresh } from "next/cache";
import { getRpc } from "../lib/storefront";
import { Shop } from "./shop";

async function addTwo() {
  "use server";
  const rpc = await getRpc();
  await rpc.addItemToBasket({ variantId: 3, quantity: 1 });
  await rpc.addItemToBasket({ variantId: 4, quantity: 1 });
  refresh();
}

/** Rendered on the server: each call is a function call, as the visitor of the page. */
export default async function Page() {
  const rpc = await getRpc();
  const [greeting, { basket }] = await Promise.all([rpc.greet(), rpc.getBasket()]);
  return (
    <main>
      <h1>{greeting}</h1>
      <Shop basket={basket} />
      <form action={addTwo}>
        <button>Add two by a Server Action</button>
      </form>
      <form action="/gift" method="post">
        <button>Add two by a Route Handler</button>
      </form>
    </main>
  );
}
