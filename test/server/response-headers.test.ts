import { describe, expect, test } from "vitest";
import { createRpcClient } from "../../rpc/client.ts";
import type { RpcContext } from "../../rpc/context.ts";
import { RpcError } from "../../rpc/error.ts";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { createRpcCaller } from "../../server/rpc-caller.ts";
import { toFetch } from "../_fetch.ts";
import { createSetup, describeServers } from "../_setup.ts";
import { expectProblem } from "../_wire.ts";

type SetHeaders = (context: Pick<RpcContext, "setHeader">) => unknown;

/** Methods that set headers: with a session, public, by `callRpc`, and before a failure. */
function methodsOf(setHeaders: SetHeaders, result: () => unknown = () => ({ a: 1 })) {
  const handler = async (_: undefined, context: Pick<RpcContext, "setHeader">) => {
    await setHeaders(context);
    return result();
  };
  return {
    enter: defineRpcMethod({
      async handler(_, context) {
        await context.createUserBoundSession({ id: 7 });
        return handler(undefined, context);
      },
    }),
    give: defineRpcMethod({ verb: "GET", handler }),
    show: defineRpcMethod({ access: "public", readOnly: true, handler }),
    showNested: defineRpcMethod({ handler: (_, { callRpc }) => callRpc("show") }),
    fail: defineRpcMethod({
      async handler(_, context) {
        await setHeaders(context);
        throw new RpcError("sold_out", {
          status: 409,
          title: "Sold out",
          headers: { "x-why": "a" },
        });
      },
    }),
  };
}

describeServers("a header that a method sets", ({ start }) => {
  const methods = methodsOf(({ setHeader }) => {
    setHeader("X-Own", "first");
    setHeader("x-own", "second");
    setHeader("link", "</next>; rel=next");
    setHeader("set-cookie", "theme=dark; Path=/");
    setHeader("Set-Cookie", "size=xl; Path=/");
  });

  test.each(["enter", "give", "show", "showNested"])(
    "reaches the client in the response of %s",
    async (name) => {
      const { client } = await start({ methods });
      const { status, body, headers, setCookies } = await client().call(name);
      expect([status, body]).toEqual([200, { a: 1 }]);
      expect(headers.get("x-own")).toBe("second");
      expect(headers.get("link")).toBe("</next>; rel=next");
      expect(setCookies).toEqual(expect.arrayContaining(["theme=dark; Path=/", "size=xl; Path=/"]));
      expect(setCookies).toHaveLength(name === "enter" ? 3 : 2);
      expect(headers.get("cache-control")).toBe("no-store");
    },
  );

  test("doesn't reach the client if the call fails", async () => {
    const { client } = await start({ methods });
    const answer = await client().call("fail");
    expectProblem(answer, "409 sold_out");
    expect(answer.headers.get("x-own")).toBeNull();
    expect(answer.headers.get("x-why")).toBe("a");
  });
});

describe("a header that a method sets", () => {
  const { start, allowErrors } = createSetup("memory", "request", () => ({ driver: "memory" }));

  test.each([
    "content-length",
    "Content-Type",
    "Connection",
    "transfer-encoding",
    "keep-alive",
    "proxy-authenticate",
    "Access-Control-Allow-Origin",
    "storefront-response",
    "content-encoding",
    "not a name",
    "",
  ])("can't be %j", async (name) => {
    allowErrors();
    const { client, lines } = await start({
      methods: methodsOf(({ setHeader }) => setHeader(name, "1")),
    });
    expectProblem(await client().call("give"), "500 internal_error");
    const [line] = lines.filter(({ level }) => level === "error");
    expect(line?.details?.["error"]).toContain("TypeError");
  });

  test.each(["a\r\nset-cookie: b=1", "a\nb", "a\0", "€"])(
    "can't have the value %j",
    async (value) => {
      allowErrors();
      const methods = methodsOf(({ setHeader }) => setHeader("x-own", value));
      const { client } = await start({ methods });
      const answer = await client().call("give");
      expectProblem(answer, "500 internal_error");
    },
  );

  test("can't be a session cookie or a bearer token", async () => {
    const methods = methodsOf(({ setHeader }) => {
      for (const name of ["$session-1001", " $session-1002 ", "theme"]) {
        setHeader("set-cookie", `${name}=planted; Path=/`);
      }
      setHeader("storefront-auth-token", "planted");
    });
    const session = { tokenMethod: ["cookie", "bearer"] } as const;
    const { client } = await start({ methods, session });
    const { setCookies, headers } = await client().call("give");
    expect(setCookies).toEqual(["theme=planted; Path=/"]);
    expect(headers.get("storefront-auth-token")).toBeNull();
  });

  const caching = methodsOf(({ setHeader }) => {
    setHeader("cache-control", "public, max-age=600");
    setHeader("cdn-cache-control", "max-age=60");
    setHeader("vary", "accept-language");
  });

  test("sets how long caches can store a public result if the URL chose the shop", async () => {
    const { send } = await start({ methods: caching });
    const { headers } = await send("/de/api/rpc/show", {});
    expect(headers.get("cache-control")).toBe("public, max-age=600");
    expect(headers.get("cdn-cache-control")).toBe("max-age=60");
    expect(headers.get("vary")).toBe("accept-language, x-shop-id, origin");
  });

  test.each([
    ["with a session", "/de/api/rpc/give", {}, "private, no-store"],
    ["whose shop a header chose", "/api/rpc/show", { "x-shop-id": "1001" }, "private, no-store"],
  ])("makes no cache store a result %s", async (_, path, headers, expected) => {
    const { send } = await start({ methods: caching });
    const response = await send(path, { headers: headers as Record<string, string> });
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe(expected);
    expect(response.headers.get("cdn-cache-control")).toBeNull();
  });

  test("makes no cache store a public result with a cookie", async () => {
    const methods = methodsOf(({ setHeader }) => {
      setHeader("cdn-cache-control", "max-age=60");
      setHeader("set-cookie", "theme=dark");
    });
    const { send } = await start({ methods });
    const { headers } = await send("/de/api/rpc/show", {});
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("cdn-cache-control")).toBeNull();
    expect(headers.getSetCookie()).toEqual(["theme=dark"]);
  });

  test("replaces the same header of the method's Response, and its Cache-Control with a cookie", async () => {
    const methods = methodsOf(
      ({ setHeader }) => {
        setHeader("x-own", "set");
        setHeader("set-cookie", "theme=dark");
      },
      () => new Response("a", { headers: { "x-own": "given", "cache-control": "max-age=9" } }),
    );
    const { send } = await start({ methods });
    for (const path of ["/de/api/rpc/show", "/de/api/rpc/give"]) {
      const { headers } = await send(path, {});
      expect(headers.get("x-own")).toBe("set");
      expect(headers.get("cache-control")).toContain("no-store");
      expect(headers.get("cache-control")).not.toContain("max-age");
    }
  });

  test("reaches the browser from a batch if it is a cookie", async () => {
    const methods = methodsOf(({ setHeader }) => {
      setHeader("x-own", "1");
      setHeader("set-cookie", "theme=dark; Path=/");
    });
    const { client } = await start({ methods });
    const { setCookies, headers } = await client().request("/de/api/rpc", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify([
        { method: "give" },
        { method: "addItemToBasket", payload: { variantId: 7, quantity: 1 } },
        { method: "show" },
      ]),
    });
    expect(setCookies).toHaveLength(3);
    expect(setCookies.filter((line) => line === "theme=dark; Path=/")).toHaveLength(2);
    expect(headers.get("x-own")).toBeNull();
  });

  test("reaches the browser from a page that the server renders if it is a cookie", async () => {
    const methods = methodsOf(({ setHeader }) => setHeader("set-cookie", "theme=dark; Path=/"));
    const { app } = await start({ methods });
    const caller = createRpcCaller<typeof methods>(app, new Request("http://localhost/de/page"));
    expect(await caller.give()).toEqual({ a: 1 });
    expect(caller.headers.getSetCookie()).toEqual(["theme=dark; Path=/"]);
  });
});

describeServers("a redirect that a method returns", ({ start }) => {
  const target = "https://pay.example/session?a=b#c";
  const methods = {
    pay: defineRpcMethod({
      verb: "GET",
      handler: (_, { setHeader }) => {
        setHeader("x-own", "1");
        return Response.redirect(target, 303);
      },
    }),
    enter: defineRpcMethod({
      async handler(_, { createUserBoundSession, updateCustomData }) {
        await createUserBoundSession({ id: 7 });
        updateCustomData({ lastCampaign: "spring" } as object);
        return new Response(null, { status: 302, headers: { location: "/welcome" } });
      },
    }),
    refuse: defineRpcMethod({
      handler(): Response {
        throw Response.redirect(target, 307);
      },
    }),
    whoami: defineRpcMethod({ handler: (_, { user }) => user?.id ?? "guest" }),
  };

  test("leads a browser there, with the session's cookie", async () => {
    const { client } = await start({ methods });
    const visitor = client();
    const init = { method: "POST", redirect: "manual" } as const;
    const entered = await visitor.request("/de/api/rpc/enter", init);
    expect(entered).toMatchObject({ status: 302, body: undefined });
    expect(entered.headers.get("location")).toBe("/welcome");
    expect(entered.setCookies).toEqual([expect.stringMatching(/^\$session-1001=.*HttpOnly/)]);
    expect((await visitor.call("whoami")).body).toBe(7);
    const linked = await visitor.request("/de/api/rpc/pay", { redirect: "manual" });
    expect(linked.status).toBe(303);
    expect(linked.headers.get("location")).toBe(target);
    expect(linked.headers.get("cache-control")).toBe("private, no-store");
    expect(linked.headers.get("x-own")).toBe("1");
    const refused = await visitor.request("/de/api/rpc/refuse", init);
    expect([refused.status, refused.headers.get("location")]).toEqual([307, target]);
  });

  test("reaches the typed client as a Response with its location", async () => {
    const { client, send } = await start({ methods });
    const visitor = client();
    const rpc = createRpcClient<typeof methods>({
      baseURL: "",
      shopId: 1001,
      batch: true,
      fetch: toFetch(async (url, init) => {
        const headers = { ...init.headers, cookie: visitor.cookieHeader };
        const response = await send(url, { ...init, headers });
        for (const line of response.headers.getSetCookie()) {
          const [name = "", value = ""] = (line.split(";", 1)[0] as string).split("=");
          visitor.cookies.set(name, value);
        }
        return response;
      }),
    });
    const entered = await rpc.enter();
    expect([entered.status, entered.headers.get("location")?.endsWith("/welcome")]).toEqual([
      302,
      true,
    ]);
    expect(await rpc.whoami()).toBe(7);
    const paying = await rpc.pay();
    expect([paying.status, paying.headers.get("location")]).toEqual([303, target]);
    const refused = await rpc.refuse();
    expect([refused.status, refused.headers.get("location")]).toEqual([307, target]);
  });
});

test("a redirect reaches a page that the server renders, with the session's cookie", async () => {
  const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));
  const methods = {
    enter: defineRpcMethod({
      signsIn: true,
      async handler(_, { createUserBoundSession }) {
        await createUserBoundSession({ id: 7 });
        return new Response(null, { status: 303, headers: { location: "/welcome" } });
      },
    }),
  };
  const { app } = await start({ methods });
  const caller = createRpcCaller<typeof methods>(app, new Request("http://localhost/de/page"));
  const response = await caller.enter();
  expect([response.status, response.headers.get("location")]).toEqual([303, "/welcome"]);
  expect(caller.headers.getSetCookie()).toHaveLength(1);
});
