import { MutationObserver, QueryClient, QueryObserver } from "@tanstack/react-query";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { createRpcQueries } from "../../adapters/react-query.ts";
import { createRpcClient, RpcClientError } from "../../rpc/client.ts";
import type { BasketView } from "../../rpc/lists/basket.ts";
import type { BuiltinMethods } from "../../rpc/methods/builtin.ts";

describe("the basket", () => {
  test("shows a change before its response, and then the server's basket", async () => {
    const { change, shown, answer } = await open();
    const adding = change("addItemToBasket", { variantId: 8, quantity: 2 });
    await vi.waitFor(() => expect(shown()).toEqual([5, { 7: 1, 8: 2 }]));
    answer("addItemToBasket", basket(6, { 7: 1, 8: 2 }));
    await adding;
    expect(shown()).toEqual([6, { 7: 1, 8: 2 }]);
  });

  test.each([
    ["addItemToBasket", { variantId: 7, quantity: 2 }, { 7: 3 }],
    ["addItemToBasket", { variantId: 7, quantity: 1, customData: { text: "Ada" } }, { 7: 2 }],
    ["addItemsToBasket", { items: [line(8, 1), line(8, 1), line(9, 1)] }, { 7: 1, 8: 2, 9: 1 }],
    ["updateBasketItem", { itemKey: "key-7", quantity: 4 }, { 7: 4 }],
    ["updateBasketItem", { itemKey: "unknown", quantity: 4 }, { 7: 1 }],
    ["removeItemFromBasket", { itemKey: "key-7" }, {}],
    ["clearBasket", undefined, {}],
    ["addItemToBasket", { sku: "of a method of yours" }, { 7: 1 }],
    ["addItemToBasket", undefined, { 7: 1 }],
  ] as const)("shows the change of %s with %j", async (method, payload, expected) => {
    const { change, shown, answer } = await open();
    const changing = change(method, payload);
    await vi.waitFor(() => expect(shown()).toEqual([5, expected]));
    answer(method, basket(6, { 1: 1 }));
    await changing;
    expect(shown()).toEqual([6, { 1: 1 }]);
  });

  test("leaves out a change that fails, and keeps the others", async () => {
    const { change, shown, answer } = await open();
    const first = change("addItemToBasket", line(8, 1)).catch((error: unknown) => error);
    const second = change("addItemToBasket", line(9, 1));
    await vi.waitFor(() => expect(shown()).toEqual([5, { 7: 1, 8: 1, 9: 1 }]));
    answer("addItemToBasket", failure());
    expect(await first).toBeInstanceOf(RpcClientError);
    expect(shown()).toEqual([5, { 7: 1, 9: 1 }]);
    answer("addItemToBasket", basket(6, { 7: 1, 9: 1 }));
    await second;
    expect(shown()).toEqual([6, { 7: 1, 9: 1 }]);
  });

  test("leaves out a change that fails after the response to a later one", async () => {
    const { change, shown, answer } = await open();
    const first = change("addItemToBasket", line(8, 1)).catch((error: unknown) => error);
    const second = change("addItemToBasket", line(9, 1));
    await vi.waitFor(() => expect(shown()).toEqual([5, { 7: 1, 8: 1, 9: 1 }]));
    answer("addItemToBasket", basket(6, { 7: 1, 9: 1 }), 1);
    await second;
    answer("addItemToBasket", failure());
    await first;
    expect(shown()).toEqual([6, { 7: 1, 9: 1 }]);
  });

  test("shows each change once if the response to the later one arrives first", async () => {
    const { change, shown, seen, answer } = await open();
    const first = change("addItemToBasket", line(7, 1));
    const second = change("addItemToBasket", line(7, 1));
    await vi.waitFor(() => expect(shown()).toEqual([5, { 7: 3 }]));
    answer("addItemToBasket", basket(7, { 7: 3 }), 1);
    await second;
    expect(shown()).toEqual([7, { 7: 3 }]);
    answer("addItemToBasket", basket(6, { 7: 2 }));
    await first;
    expect(shown()).toEqual([7, { 7: 3 }]);
    // No quantity went back in between.
    const quantities = seen.map((each) => each[7]);
    expect(quantities).toEqual(quantities.toSorted());
    expect([...new Set(quantities)]).toEqual([1, 2, 3]);
  });

  test("ignores a read that began before a change, and ends after it", async () => {
    const { change, shown, answer, queryClient, rpc } = await open();
    const reading = queryClient.refetchQueries({ queryKey: rpc.getBasket.queryKey() });
    const adding = change("addItemToBasket", line(8, 1));
    await vi.waitFor(() => expect(shown()).toEqual([5, { 7: 1, 8: 1 }]));
    answer("addItemToBasket", basket(6, { 7: 1, 8: 1 }));
    await adding;
    answer("getBasket", basket(5, { 7: 1 }));
    await reading;
    expect(shown()).toEqual([6, { 7: 1, 8: 1 }]);
  });

  test("shows a pending change on top of a read", async () => {
    const { change, shown, answer, queryClient, rpc } = await open();
    const adding = change("addItemToBasket", line(8, 1));
    const reading = queryClient.refetchQueries({ queryKey: rpc.getBasket.queryKey() });
    await vi.waitFor(() => expect(shown()).toEqual([5, { 7: 1, 8: 1 }]));
    answer("getBasket", basket(5, { 7: 1 }));
    await reading;
    expect(shown()).toEqual([5, { 7: 1, 8: 1 }]);
    answer("addItemToBasket", failure());
    await adding.catch(() => undefined);
    expect(shown()).toEqual([5, { 7: 1 }]);
  });

  test("shows the basket of another visitor after a login or a logout", async () => {
    const { shown, answer, queryClient, rpc } = await open();
    const reading = queryClient.refetchQueries({ queryKey: rpc.getBasket.queryKey() });
    await vi.waitFor(() => answer("getBasket", basket(0, {}, null)));
    await reading;
    expect(shown()).toEqual([0, {}]);
  });

  test("shows the first basket of a guest whose read arrives late", async () => {
    const { change, shown, answer, queryClient, rpc } = await open(basket(0, {}, null));
    const reading = queryClient.refetchQueries({ queryKey: rpc.getBasket.queryKey() });
    const adding = change("addItemToBasket", line(8, 1));
    await vi.waitFor(() => expect(shown()).toEqual([0, { 8: 1 }]));
    answer("addItemToBasket", basket(1, { 8: 1 }));
    await adding;
    answer("getBasket", basket(0, {}, null));
    await reading;
    expect(shown()).toEqual([1, { 8: 1 }]);
  });

  test("reads the basket again after a change fails", async () => {
    const { change, shown, answer } = await open();
    const adding = change("addItemToBasket", line(8, 1)).catch((error: unknown) => error);
    await vi.waitFor(() => expect(shown()).toEqual([5, { 7: 1, 8: 1 }]));
    // The server ran the change, but its response was lost, and those to the repetitions.
    for (let attempt = 0; attempt < 3; attempt++) {
      const lose = () => answer("addItemToBasket", new TypeError("fetch failed"));
      await vi.waitFor(lose, { timeout: 5000 });
    }
    await adding;
    expect(shown()).toEqual([5, { 7: 1 }]);
    await vi.waitFor(() => answer("getBasket", basket(6, { 7: 1, 8: 1 })));
    await vi.waitFor(() => expect(shown()).toEqual([6, { 7: 1, 8: 1 }]));
  });

  test("shows the right items after many changes whose responses arrive in any order", async () => {
    for (const order of [
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ]) {
      const { change, shown, answer } = await open();
      const changes = [8, 9, 10].map((variantId) => change("addItemToBasket", line(variantId, 1)));
      await vi.waitFor(() => expect(shown()).toEqual([5, { 7: 1, 8: 1, 9: 1, 10: 1 }]));
      const results = [basket(6, { 8: 1 }), failure(), basket(7, { 8: 1, 10: 1 })];
      const settled = changes.map((one) => one.catch(() => undefined));
      const sent: number[] = [0, 1, 2];
      for (const index of order) {
        answer("addItemToBasket", results[index] as Result, sent.indexOf(index));
        sent.splice(sent.indexOf(index), 1);
        await settled[index];
      }
      expect(shown(), String(order)).toEqual([7, { 8: 1, 10: 1 }]);
    }
  });
});

// --- Internal helpers ---

type Result = object | Error;
type Quantities = Readonly<Record<number, number>>;

/** A page that shows the basket. Its requests wait for `answer`. */
async function open(first: object = basket(5, { 7: 1 })) {
  const waiting: { readonly method: string; readonly settle: (result: Result) => void }[] = [];
  const rpc = createRpcQueries(
    createRpcClient<BuiltinMethods>({
      baseURL: "https://shop.example",
      shopId: 1001,
      fetch: ({ url }) =>
        new Promise((resolve, reject) => {
          const method = url.split("/").at(-1) as string;
          const settle = (result: Result) =>
            result instanceof Error ? reject(result) : resolve(toResponse(result));
          waiting.push({ method, settle });
        }),
    }),
  );
  const queryClient = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const observer = new QueryObserver(queryClient, rpc.getBasket.queryOptions());
  const seen: Quantities[] = [];
  onTestFinished(
    observer.subscribe(({ data }) => {
      if (data !== undefined) seen.push(quantitiesOf(data.basket));
    }),
  );

  /** Responds to a request. @param index among the waiting requests of the method */
  function answer(method: string, result: Result, index = 0): void {
    const request = waiting.filter((one) => one.method === method)[index];
    if (request === undefined) throw new Error(`No request of ${method} waits`);
    waiting.splice(waiting.indexOf(request), 1);
    request.settle(result);
  }

  function change(method: keyof BuiltinMethods, payload: unknown): Promise<unknown> {
    const options = rpc[method].mutationOptions() as object;
    return new MutationObserver<unknown, Error, unknown>(queryClient, options).mutate(payload);
  }

  function shown(): [revision: number, quantities: Quantities] | undefined {
    const data = queryClient.getQueryData(rpc.getBasket.queryOptions().queryKey);
    return data && [data.basket.revision, quantitiesOf(data.basket)];
  }

  answer("getBasket", first);
  await vi.waitFor(() => expect(shown()).toBeDefined());
  return { rpc, queryClient, seen, answer, change, shown };
}

function line(variantId: number, quantity: number) {
  return { variantId, quantity };
}

function basket(revision: number, quantities: Quantities, key: string | null = "basket") {
  const items = Object.entries(quantities).map(([variantId, quantity]) => ({
    key: `key-${variantId}`,
    variantId: Number(variantId),
    quantity,
    addedAt: 0,
  }));
  const itemCount = items.reduce((count, { quantity }) => count + quantity, 0);
  return { basket: { key, items, itemCount, revision } };
}

function quantitiesOf({ items, itemCount }: Pick<BasketView, "items" | "itemCount">): Quantities {
  const found: Record<number, number> = {};
  for (const { variantId, quantity } of items) {
    found[Number(variantId)] = (found[Number(variantId)] ?? 0) + quantity;
  }
  expect(itemCount).toBe(Object.values(found).reduce((count, quantity) => count + quantity, 0));
  return found;
}

function failure(): object {
  return { title: "A limit", status: 422, code: "limit_reached" };
}

function toResponse(result: object): Response {
  if (!("code" in result)) return Response.json(result);
  const headers = { "content-type": "application/problem+json" };
  return Response.json(result, { status: 422, headers });
}
