import { describe, expect, test } from "vitest";
import type { BuiltinMethods } from "../../../rpc/methods/builtin.ts";
import { createRpcClient, type RpcClientOptions, type TokenStore } from "../../../rpc/client.ts";
import { createSetup } from "../../_setup.ts";
import { toFetch } from "../../_fetch.ts";

const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));
const person = { email: "ada@example.com", password: "correct horse" };

describe("a client with a token store", () => {
  test.each([false, true])("stores each new token and sends it, with batch: %s", async (batch) => {
    const { store, client, inits } = await open({ batch });
    const add = (variantId: number) => client.addItemToBasket({ variantId, quantity: 1 });
    await add(7);
    const guest = store.value;
    expect(guest).toMatch(/^[\w-]+\.[\w-]{43}$/);
    await Promise.all([add(8), add(9)]);
    expect(store.value).toBe(guest);
    await client.register(person);
    expect(store.value).not.toBe(guest);
    expect((await client.getBasket()).basket.itemCount).toBe(3);
    await client.logout();
    expect(store.value).toBeUndefined();
    expect(await client.getUser()).toEqual({});
    expect(new Set(inits.map(({ credentials }) => credentials))).toEqual(new Set(["omit"]));
  });

  test("reads the token from the header that the server's config names", async () => {
    const authTokenHeaderKey = "vendure-auth-token";
    const { store, client } = await open({ authTokenHeaderKey }, authTokenHeaderKey);
    await client.addItemToBasket({ variantId: 7, quantity: 1 });
    expect(store.value).toBeDefined();
  });

  test("can wait for the store", async () => {
    const { store, client } = await open({}, undefined, (sync) => ({
      get: async () => sync.get() ?? null,
      set: async (token) => sync.set(token),
    }));
    await client.addItemToBasket({ variantId: 7, quantity: 1 });
    expect(store.value).toBeDefined();
    expect((await client.getBasket()).basket.itemCount).toBe(1);
  });

  test.each([
    ["get", new Error("The key chain is locked")],
    ["set", new Error("The key chain is locked")],
    ["get", "locked"],
    ["set", "locked"],
    ["set", undefined],
  ] as const)("sends a change once if %s of the store rejects with %o", async (name, error) => {
    const { client, inits } = await open({}, undefined, (store) => ({
      ...store,
      [name]: () => Promise.reject(error),
    }));
    await expect(client.addItemToBasket({ variantId: 7, quantity: 1 })).rejects.toBe(error);
    expect(inits).toHaveLength(name === "get" ? 0 : 1);
  });
});

// --- Internal helpers ---

/** A client of a new server with bearer tokens, and its store. */
async function open(
  options: Partial<RpcClientOptions>,
  authTokenHeaderKey?: string,
  wrap: (store: TokenStore) => TokenStore = (store) => store,
) {
  const session = { tokenMethod: "bearer", ...(authTokenHeaderKey && { authTokenHeaderKey }) };
  const { app } = await start({ session: session as { tokenMethod: "bearer" } });
  const store = {
    value: undefined as string | undefined,
    get: () => store.value,
    set: (token: string | undefined) => void (store.value = token),
  };
  const inits: RequestInit[] = [];
  const client = createRpcClient<BuiltinMethods>({
    baseURL: "http://localhost",
    shopId: 1001,
    token: wrap(store),
    fetch: toFetch((url, init) => {
      inits.push(init);
      return app.fetch(new Request(url, init));
    }),
    ...options,
  });
  return { store, client, inits };
}
