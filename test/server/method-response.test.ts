import { gzipSync } from "node:zlib";
import { describe, expect, test, vi } from "vitest";
import { createRpcClient } from "../../rpc/client.ts";
import { RpcError } from "../../rpc/error.ts";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { createSetup, type Setup, type TestStorefront } from "../_setup.ts";
import { toFetch } from "../_fetch.ts";

const page = "https://page.example";

/** A method that returns this, and one that throws it. */
function methodsOf(make: () => Response) {
  return {
    give: defineRpcMethod({ handler: () => make() }),
    fail: defineRpcMethod({
      handler: () => {
        throw make();
      },
    }),
    show: defineRpcMethod({ access: "public", readOnly: true, handler: () => make() }),
  };
}

function call({ send }: TestStorefront, method: string, headers: Record<string, string> = {}) {
  return send(`/api/rpc/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-shop-id": "1001", ...headers },
    body: "{}",
  });
}

for (const server of ["request", "server"] as const) {
  describe(`a Response of a method · ${server}`, () => {
    const { allowErrors, start, startControlled } = createSetup("memory", server, () => ({
      driver: "memory",
    }));

    test.each(["give", "fail"])(
      "keeps its status, body, and headers, returned or thrown: %s",
      async (method) => {
        const storefront = await start({
          methods: methodsOf(
            () =>
              new Response("a,b\n1,2\n", {
                status: 418,
                headers: { "content-type": "text/csv", "x-own": "yes" },
              }),
          ),
        });
        const response = await call(storefront, method);
        expect(response.status).toBe(418);
        expect(await response.text()).toBe("a,b\n1,2\n");
        expect(response.headers.get("content-type")).toBe("text/csv");
        expect(response.headers.get("x-own")).toBe("yes");
        expect(response.headers.get("cache-control")).toBe("no-store");
      },
    );

    test("loses its connection, encoding, CORS, and cache headers", async () => {
      const storefront = await start({
        cors: { origin: [page] },
        methods: methodsOf(
          () =>
            new Response(JSON.stringify({ a: 1 }), {
              headers: {
                "content-encoding": "gzip",
                "content-length": "3",
                connection: "close, x-hop",
                "x-hop": "1",
                "keep-alive": "timeout=5",
                "transfer-encoding": "chunked",
                "proxy-authenticate": "Basic",
                "access-control-allow-origin": "*",
                "access-control-expose-headers": "x-all",
                "storefront-auth-token": "planted",
                "cache-control": "public, max-age=600",
                "cdn-cache-control": "max-age=600",
                expires: new Date(Date.now() + 600_000).toUTCString(),
              },
            }),
        ),
      });
      const response = await call(storefront, "give", { origin: page });
      expect(await response.json()).toEqual({ a: 1 });
      const { headers } = response;
      for (const name of [
        "content-encoding",
        "x-hop",
        "proxy-authenticate",
        "storefront-auth-token",
        "cdn-cache-control",
        "expires",
      ]) {
        expect(headers.has(name), name).toBe(false);
      }
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("access-control-allow-origin")).toBe(page);
      expect(headers.get("access-control-expose-headers")).toBe("retry-after, storefront-response");
    });

    test("sets its own cookies, but no session cookie", async () => {
      const storefront = await start({
        methods: {
          give: defineRpcMethod({
            async handler(_, { createUserBoundSession }) {
              await createUserBoundSession({ id: 7 });
              const headers = new Headers();
              for (const name of ["$session-1001", " $session-1002 ", "theme"]) {
                headers.append("set-cookie", `${name}=planted; Path=/`);
              }
              return new Response("in", { headers });
            },
          }),
        },
      });
      const response = await call(storefront, "give");
      const cookies = response.headers.getSetCookie();
      expect(cookies).toHaveLength(2);
      expect(cookies).toContain("theme=planted; Path=/");
      expect(cookies.find((line) => line.startsWith("$session-1001="))).toContain("HttpOnly");
    });

    test("keeps the Cache-Control of a public method, unless it sets a cookie", async () => {
      expect(await controlOf(start, {})).toBe("public, max-age=60");
      expect(await controlOf(start, { "cache-control": "public, max-age=5" })).toBe(
        "public, max-age=5",
      );
      const both = { "cache-control": "public, max-age=5", "set-cookie": "theme=dark" };
      expect(await controlOf(start, both)).toBe("no-store");
    });

    test("forbids caches to store errors, unless it has its own Cache-Control", async () => {
      const { send } = await start({ methods: methodsOf(() => new Response("", { status: 404 })) });
      const response = await send("/api/rpc/show", { headers: { "x-shop-id": "1001" } });
      expect(response.status).toBe(404);
      expect(response.headers.get("cache-control")).toBe("no-store");
    });

    test.each([
      ["has no body", () => new Response(null, { status: 204 }), 204, ""],
      ["is a redirect", () => Response.redirect("https://shop.example/pay", 303), 303, ""],
      ["is bytes", () => new Response(gzipSync("a").subarray(0, 2)), 200, "\u001f\ufffd"],
      ["is a stream", () => new Response(new Blob(["a", "b"]).stream()), 200, "ab"],
    ])("works in each form of the platform: it %s", async (_, make, status, text) => {
      const { send } = await start({ methods: methodsOf(make) });
      const response = await send("/api/rpc/give", {
        method: "POST",
        redirect: "manual",
        headers: { "content-type": "application/json", "x-shop-id": "1001" },
        body: "{}",
      });
      expect(response.status).toBe(status);
      expect(await response.text()).toBe(text);
    });

    test.each(["give", "fail"])(
      "becomes a 500 and a log line if it was read before: %s",
      async (name) => {
        allowErrors();
        const used = new Response("a");
        await used.text();
        for (const response of [used, Response.error()]) {
          const storefront = await start({ methods: methodsOf(() => response) });
          expect((await call(storefront, name)).status).toBe(500);
          const [line] = storefront.lines.filter(({ level }) => level === "error");
          expect(String(line?.details?.["error"])).toContain("Response");
        }
      },
    );

    test("gives way to an error if the session can't be saved, and its stream ends", async () => {
      allowErrors();
      const cancel = vi.fn<() => void>();
      const storefront = await startControlled({
        methods: {
          give: defineRpcMethod({
            handler(_, { updateCustomData }) {
              updateCustomData({ lastCampaign: "spring" } as object);
              return new Response(new ReadableStream({ cancel }));
            },
          }),
        },
      });
      storefront.storage.fail("any");
      const response = await call(storefront, "give");
      expect(response.status).toBe(503);
      expect(response.headers.getSetCookie()).toEqual([]);
      expect(cancel).toHaveBeenCalledOnce();
    });

    test("ends its stream if the call timed out before", async () => {
      const cancel = vi.fn<() => void>();
      let finish!: () => void;
      const finished = new Promise<void>((resolve) => (finish = resolve));
      const storefront = await start({
        callTimeout: 1,
        methods: {
          give: defineRpcMethod({
            async handler() {
              await finished;
              return new Response(new ReadableStream({ cancel }));
            },
          }),
        },
      });
      allowErrors();
      expect((await call(storefront, "give")).status).toBe(504);
      finish();
      await vi.waitFor(() => expect(cancel).toHaveBeenCalledOnce());
    });

    test("reaches the typed client as a Response, unlike other results", async () => {
      const methods = {
        ...methodsOf(() => Response.json({ a: 1 }, { status: 201 })),
        plain: defineRpcMethod({ handler: () => ({ a: 1 }) }),
        refuse: defineRpcMethod({
          handler: (): string => {
            throw new RpcError("sold_out", { status: 409, title: "Sold out", data: { left: 3 } });
          },
        }),
      };
      const { send } = await start({ methods });
      const rpc = createRpcClient<typeof methods>({
        baseURL: "",
        shopId: 1001,
        fetch: toFetch(send),
      });
      const response = await rpc.give();
      expect(response).toBeInstanceOf(Response);
      expect([response.status, await response.json()]).toEqual([201, { a: 1 }]);
      expect(await rpc.plain()).toEqual({ a: 1 });
      await expect(rpc.refuse()).rejects.toMatchObject({ code: "sold_out", data: { left: 3 } });
    });
  });
}

describe("a Response with a failing body", () => {
  const { allowErrors, start } = createSetup("memory", "server", () => ({ driver: "memory" }));

  test("closes its connection with a log line, and the server continues", async () => {
    allowErrors();
    const storefront = await start({
      methods: methodsOf(
        () =>
          new Response(
            new ReadableStream({
              pull(controller) {
                controller.enqueue(new TextEncoder().encode("half"));
                controller.error(new Error("the backend is gone"));
              },
            }),
          ),
      ),
    });
    await expect(call(storefront, "give").then((response) => response.text())).rejects.toThrow();
    expect((await storefront.client().call("getUser")).status).toBe(200);
    expect(storefront.lines).toMatchObject([
      {
        level: "error",
        details: { method: "give", error: expect.stringContaining("the backend is gone") },
      },
    ]);
  });
});

// --- Internal helpers ---

/** The Cache-Control of a public method's Response with these headers. */
async function controlOf(start: Setup["start"], headers: Record<string, string>) {
  const { send } = await start({ methods: methodsOf(() => new Response("a", { headers })) });
  const response = await send("/de/api/rpc/show", { headers: { "x-shop-id": "1001" } });
  return response.headers.get("cache-control");
}
