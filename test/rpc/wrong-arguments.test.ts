import { expect, onTestFinished, test } from "vitest";
import type { RpcContext } from "../../rpc/context.ts";
import { createTestStorefront } from "../../server/testing/index.ts";
import { run } from "../fixtures/context-methods.ts";

/** Runs a method that passes wrong arguments, as JavaScript can. @returns the message of its error */
async function failWith(use: (context: RpcContext) => unknown): Promise<string> {
  const { visitor, lines, close } = await createTestStorefront({
    shops: [{ shopId: 1001, locale: "de-DE", currency: "EUR" }],
    methods: { fail: run(use) },
  });
  onTestFinished(close);
  expect((await visitor().call("fail")).status).toBe(500);
  const { details } = lines.find(({ message }) => message === "A call failed") ?? {};
  return (
    String((details as { readonly error?: unknown } | undefined)?.error).split("\n", 1)[0] ?? ""
  );
}

const user = { id: 7 };
const sub = "s".repeat(255);
const wrong = (value: unknown) => value as never;

test.each<[string, (context: RpcContext) => unknown]>([
  ["destroySessionsForUserId", ({ destroySessionsForUserId: end }) => end(wrong(user))],
  ["destroySessionsForUserId of nobody", ({ destroySessionsForUserId: end }) => end(wrong(null))],
  ["sessions.endAll", ({ sessions }) => sessions.endAll(wrong(user))],
  ["sessions.end", ({ sessions }) => sessions.end(wrong(user), "handle")],
  ["sessions.endLabeled", ({ sessions }) => sessions.endLabeled(wrong(user), "label")],
  ["sessions.list", ({ sessions }) => sessions.list(wrong(undefined))],
  ["createUserBoundSession", ({ createUserBoundSession: begin }) => begin(wrong(undefined))],
])("%s rejects a value that is no user's ID instead of doing nothing", async (_, use) => {
  expect(await failWith(use)).toContain("A user's id is a positive integer or a string of 1 to 64");
});

test("finds no sessions of a string that is longer than users' IDs, as a `sub` of OpenID Connect can be", async () => {
  const { visitor, close } = await createTestStorefront({
    shops: [{ shopId: 1001, locale: "de-DE", currency: "EUR" }],
    methods: {
      search: run(async ({ destroySessionsForUserId, sessions }) => [
        await destroySessionsForUserId(sub),
        await sessions.endAll(sub),
        await sessions.endLabeled(sub, "sid"),
        await sessions.end(sub, "handle"),
        await sessions.list(sub),
      ]),
    },
  });
  onTestFinished(close);
  const expected = [0, { ended: 0, isComplete: true }, 0, false, []];
  expect(await visitor().call("search")).toMatchObject({ status: 200, body: expected });
});

test.each<[string, () => unknown, string]>([
  ["is async", async () => ({ items: [] }), "returned a promise"],
  ["is async and fails", () => Promise.reject(new Error("Out of stock")), "returned a promise"],
  ["returns nothing", () => undefined, "returned no object with a list of items"],
  ["returns other items", () => ({ items: "none" }), "returned no object with a list of items"],
  ["returns an invalid item", () => ({ items: [{ variantId: 7 }] }), "has an invalid one"],
])("a rule of a list that %s gets an error that says so", async (_, next, message) => {
  const rule = () => wrong(next());
  expect(await failWith(({ changeBasket }) => changeBasket(rule))).toContain(message);
  expect(await failWith(({ changeWishlist }) => changeWishlist(rule))).toContain(message);
});
