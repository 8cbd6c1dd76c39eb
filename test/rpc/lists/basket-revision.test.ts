import { describe, expect, test } from "vitest";
import { RpcError } from "../../../rpc/error.ts";
import { readIfMatch } from "../../../rpc/lists/revision.ts";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { describeStorages } from "../../_setup.ts";

const line = { variantId: 7, quantity: 1 };

describe("the header If-Match", () => {
  test.each(['"3"', '"2", "3"', '"2","3"', 'W/"3", "3"', '"other" ,\t"3"'])(
    "matches revision 3 as %s",
    (text) => {
      expect(matches(text, 3)).toBe(true);
    },
  );

  test.each(['"2"', '"33"', 'W/"3"', '"03"', '" 3"', '""', '"2", "4"'])(
    "doesn't match revision 3 as %s",
    (text) => {
      expect(matches(text, 3)).toBe(false);
    },
  );

  test("allows every change as * or without the header", () => {
    expect(readIfMatch(new Headers({ "if-match": "*" }))).toBeUndefined();
    expect(readIfMatch(new Headers())).toBeUndefined();
  });

  test.each(["", "3", '"3', '3"', '"2" "3"', '"2",', ',"2"', '*, "3"', `"${"3".repeat(2000)}"`])(
    "can't be %s",
    (text) => {
      expect(() => matches(text, 3)).toThrow(RpcError);
    },
  );
});

describeStorages("a change of the basket with a revision", (setup) => {
  /** A visitor whose basket has revision 2. */
  async function enter() {
    const { client } = await setup.start({
      methods: {
        addTwice: defineRpcMethod({
          async handler(_, { callRpc }) {
            await callRpc("addItemToBasket", line);
            return callRpc("addItemToBasket", line);
          },
        }),
        replace: defineRpcMethod({
          handler: (_, { changeBasket }) =>
            changeBasket((basket) => ({ ...basket, items: [] }), { revision: 2 }),
        }),
      },
    });
    const visitor = client();
    await visitor.call("addItemToBasket", line);
    const { body } = await visitor.call("addItemToBasket", { ...line, variantId: 8 });
    return { visitor, basket: body.basket, itemKey: body.basket.items[0].key as string };
  }

  test("fails with the current basket if the basket has another one", async () => {
    const { visitor, basket, itemKey } = await enter();
    for (const [method, payload] of toCalls(itemKey)) {
      for (const answer of [
        await visitor.call(method, { ...payload, revision: 1 }),
        await visitor.call(method, payload, { "if-match": '"1"' }),
        await visitor.call(method, { ...payload, revision: 1 }, { "if-match": '"2"' }),
        await visitor.call(method, { ...payload, revision: 2 }, { "if-match": '"1"' }),
      ]) {
        expect(answer, method).toMatchObject({
          status: 412,
          body: { code: "basket_changed", executed: false, data: { basket } },
        });
        expect(answer.headers.get("content-type")).toBe("application/problem+json");
      }
    }
    expect((await visitor.call("getBasket")).body.basket).toEqual(basket);
  });

  test("succeeds if the basket has this one", async () => {
    for (const index of [0, 1, 2, 3, 4]) {
      const { visitor, itemKey } = await enter();
      const [method, payload] = toCalls(itemKey)[index] as [string, object];
      const made = await visitor.call(method, { ...payload, revision: 2 }, { "if-match": '"2"' });
      expect(made, method).toMatchObject({ status: 200, body: { basket: { revision: 3 } } });
    }
  });

  test("shows the custom data of the current basket", async () => {
    const { visitor } = await enter();
    const customData = { engraving: "Ada" };
    await visitor.call("addItemToBasket", { ...line, customData });
    const { body } = await visitor.call("clearBasket", undefined, { "if-match": '"2"' });
    expect(body.data.basket.items[2]).toMatchObject({ customData });
  });

  test("fails for a guest without a basket, who gets no session", async () => {
    const { visitor } = await enter();
    visitor.cookies.clear();
    const answer = await visitor.call("addItemToBasket", { ...line, revision: 2 });
    const basket = { key: null, items: [], itemCount: 0, revision: 0 };
    expect(answer).toMatchObject({ status: 412, body: { data: { basket } }, setCookies: [] });
    const first = await visitor.call("addItemToBasket", { ...line, revision: 0 });
    expect(first).toMatchObject({ status: 200, body: { basket: { revision: 1 } } });
  });

  test("fails with 400 if the header is malformed", async () => {
    const { visitor } = await enter();
    const answer = await visitor.call("clearBasket", undefined, { "if-match": "2" });
    expect(answer).toMatchObject({ status: 400, body: { code: "malformed_request" } });
  });

  test("lets a method of its own change the basket several times", async () => {
    const { visitor } = await enter();
    const answer = await visitor.call("addTwice", undefined, { "if-match": '"2"' });
    expect(answer).toMatchObject({ status: 200, body: { basket: { revision: 4 } } });
    const stale = await visitor.call("addTwice", undefined, { "if-match": '"2"' });
    expect(stale).toMatchObject({ status: 412, body: { data: { basket: { revision: 4 } } } });
    expect(await visitor.call("replace")).toMatchObject({ status: 412 });
  });

  test("succeeds once if several come at the same time", async () => {
    const { visitor } = await enter();
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => visitor.call("addItemToBasket", { ...line, revision: 2 })),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array(7).fill(412)]);
  });

  test("can be repeated with its Idempotency-Key although its own change made a new revision", async () => {
    const { visitor } = await enter();
    const headers = { "if-match": '"2"', "idempotency-key": "one" };
    const first = await visitor.call("addItemToBasket", line, headers);
    expect(await visitor.call("addItemToBasket", line, headers)).toMatchObject({
      status: 200,
      body: first.body,
    });
  });

  test("succeeds with the same Idempotency-Key after a rejection", async () => {
    const { visitor } = await enter();
    const key = { "idempotency-key": "one" };
    const stale = await visitor.call("addItemToBasket", line, { ...key, "if-match": '"1"' });
    expect(stale).toMatchObject({ status: 412 });
    const made = await visitor.call("addItemToBasket", line, { ...key, "if-match": '"2"' });
    expect(made).toMatchObject({ status: 200, body: { basket: { revision: 3 } } });
  });
});

// --- Internal helpers ---

function matches(text: string, revision: number): boolean | undefined {
  return readIfMatch(new Headers({ "if-match": text }))?.(revision);
}

/** A call of each method that changes the basket. */
function toCalls(itemKey: string) {
  return [
    ["addItemToBasket", line],
    ["addItemsToBasket", { items: [line] }],
    ["updateBasketItem", { itemKey, quantity: 5 }],
    ["removeItemFromBasket", { itemKey }],
    ["clearBasket", {}],
  ] as const;
}
