import { defineRoute, HTTPError, type H3 } from "h3";
import { describe, expect, onTestFinished, test } from "vitest";
import * as z from "zod";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { createServerApp } from "../../../server/cli/http-server.ts";
import { listen } from "../../../server/cli/listen.ts";
import { createRpcCaller, respondWithCaller } from "../../../server/rpc-caller.ts";
import { openStorefront } from "../../../server/storefront.ts";
import type { Storefront } from "../../../server/storefront-app.ts";
import { createFolder, runCli, shops, startCli } from "../../_cli.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";
import { createSetup, testConfig } from "../../_setup.ts";
import { expectProblem } from "../../_wire.ts";

const methods = {
  enter: defineRpcMethod({
    signsIn: true,
    input: z.strictObject({ code: z.string() }),
    handler: (_, { createUserBoundSession }) => createUserBoundSession({ id: 7 }),
  }),
  whoami: defineRpcMethod({ verb: "GET", handler: (_, { user }) => user?.id ?? "guest" }),
};

for (const server of ["request", "server"] as const) {
  describe(`server.routes · ${server}`, () => {
    const { start, allowErrors } = createSetup("memory", server, () => ({ driver: "memory" }));
    const startWith = (routes: (app: H3, storefront: Storefront) => void) =>
      start({ methods, server: { routes } });

    test("adds routes in each form of h3", async () => {
      const { send } = await startWith((app) => {
        app.get("/robots.txt", () => "User-agent: *");
        app.post("/hooks/:provider", async ({ req, context }) => ({
          provider: context.params?.["provider"],
          signature: req.headers.get("x-signature"),
          text: await req.text(),
        }));
        app.register(
          defineRoute({ method: "GET", route: "/sitemap", handler: () => new Response("<xml>") }),
        );
      });
      expect(await (await send("/robots.txt", {})).text()).toBe("User-agent: *");
      expect(await (await send("/sitemap", {})).text()).toBe("<xml>");
      const headers = { "content-type": "application/x-www-form-urlencoded", "x-signature": "s" };
      const posted = await send("/hooks/psp", { method: "POST", headers, body: "paid=7" });
      expect(await posted.json()).toEqual({ provider: "psp", signature: "s", text: "paid=7" });
    });

    test("responds to unknown paths and wrong HTTP methods with problem+json", async () => {
      const { client } = await startWith((app) => app.get("/robots.txt", () => "*"));
      expectProblem(await client().request("/robots"), "404 unknown_path");
      // From this machine, `/` leads to the development page.
      const ofProxy = { headers: { "x-forwarded-for": "192.0.2.1" } };
      expectProblem(await client().request("/", ofProxy), "404 unknown_path");
      const posted = await client().request("/robots.txt", { method: "POST" });
      expectProblem(posted, "404 unknown_path");
      expectProblem(await client().request("/%ZZ"), "400 malformed_request");
    });

    test("can't replace a path of the storefront, nor see its requests", async () => {
      const seen: string[] = [];
      const { client } = await startWith((app) => {
        app.use(({ url }) => void seen.push(url.pathname));
        for (const path of ["/healthz", "/de/api/rpc/whoami", "/de/api/rpc/nothing", "/**"]) {
          app.all(path, () => "mine");
        }
      });
      expect((await client().request("/healthz")).body).toEqual({ status: "ok" });
      const path = "/de/api/rpc/whoami";
      expect((await client().request(path, { method: "POST" })).body).toBe("guest");
      expect((await client().request(path)).body).toBe("guest");
      const unknown = await client().request("/de/api/rpc/nothing", { method: "POST" });
      expectProblem(unknown, "404 unknown_method");
      expect(seen).toEqual([]);
    });

    test("serves every other path from a route for all of them", async () => {
      const seen: string[] = [];
      const { send } = await startWith((app) => {
        app.use(({ url }) => void seen.push(url.pathname));
        app.get("/**", ({ url }) => `page ${url.pathname}`);
      });
      for (const path of ["/", "/a/b"]) {
        expect(await (await send(path, {})).text()).toBe(`page ${path}`);
      }
      expect(seen).toEqual(["/", "/a/b"]);
    });

    test("turns thrown errors into problem+json, and logs unexpected ones", async () => {
      allowErrors();
      const { client, lines } = await startWith((app) => {
        app.get("/pay", () => {
          throw new HTTPError({ status: 402, statusText: "No money" });
        });
        app.get("/fail", () => {
          throw new Error("redis://user:pw@host");
        });
      });
      const { body } = await client().request("/pay");
      expect(body).toMatchObject({ status: 402, title: "No money" });
      expectProblem(await client().request("/fail"), "500 internal_error");
      const [line] = lines.filter(({ level }) => level === "error");
      expect(line?.details?.["error"]).toContain("redis://user:[redacted]@host");
    });

    test("rejects headers that are too large before a route runs", async () => {
      let runs = 0;
      const { client } = await startWith((app) => app.get("/count", () => ++runs));
      const headers = { "x-large": "a".repeat(16_385) };
      expectProblem(await client().request("/count", { headers }), "431 headers_too_large");
      expect(runs).toBe(0);
    });

    test("calls methods as the visitor, and sends the session's cookie", async () => {
      const { client } = await startWith((app, storefront) => {
        app.get("/de/callback", ({ req, url }) => {
          const rpc = createRpcCaller<typeof methods>(storefront, req);
          return respondWithCaller(rpc, async () => {
            await rpc.enter({ code: url.searchParams.get("code") ?? "" });
            return new Response(null, { status: 303, headers: { location: "/account" } });
          });
        });
      });
      const visitor = client();
      // A link of the provider's site leads here.
      const headers = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" };
      const init = { headers, redirect: "manual" } as const;
      const answer = await visitor.request("/de/callback?code=a", init);
      expect(answer.status).toBe(303);
      expect(answer.headers.get("location")).toBe("/account");
      expect(answer.setCookies).toHaveLength(1);
      expect((await visitor.call("whoami")).body).toBe(7);
    });
  });
}

test("a request of server.routes ends before the server stops", async () => {
  const { log } = createTestLog();
  let finish!: () => void;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  let begin!: () => void;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const routes = (app: H3) => {
    app.get("/slow", async () => {
      begin();
      await finished;
      return "done";
    });
  };
  const config = testConfig({ log, server: { routes } });
  const storefront = openStorefront(config, { production: false });
  const running = await listen(storefront, await createServerApp(storefront), "127.0.0.1", 0);
  const responding = fetch(`${running.url}slow`);
  await begun;
  const stopping = running.stop("reload");
  finish();
  const response = await responding;
  expect([await response.text(), response.headers.get("connection")]).toEqual(["done", "close"]);
  await stopping;
});

test.each(["", "async "])(
  "the command does not start if server.routes throws: %s",
  async (kind) => {
    const config = `export default {
    shops: ${shops},
    server: { routes: ${kind}() => { throw new Error("no such file"); } },
  };`;
    const folder = await createFolder({ "storefront.config.js": config });
    const { code, stderr } = await runCli(["start"], { folder });
    expect(code).toBe(1);
    expect(stderr).toContain("server.routes: no such file");
  },
);

test.each<[what: string, add: (storefront: Storefront) => unknown]>([
  ["middleware", (storefront) => storefront.use(() => "rejected")],
  ["a route", (storefront) => storefront.post("/api/rpc/getUser", () => "mine")],
  ["a route for each HTTP method", (storefront) => storefront.all("/**", () => "mine")],
  ["an app", (storefront) => storefront.mount("/", () => new Response("mine"))],
  ["a plugin", (storefront) => storefront.register((app) => app.use(() => "rejected"))],
])("the server does not start if server.routes adds %s to the storefront", async (_, add) => {
  const routes = (_app: H3, storefront: Storefront) => void add(storefront);
  const storefront = openStorefront(testConfig({ server: { routes } }), { production: false });
  onTestFinished(() => storefront.app.close());
  const starting = createServerApp(storefront);
  await expect(starting).rejects.toThrow(/^server\.routes: the storefront takes no routes/);
});

test("the command serves the routes of a config file", async () => {
  const config = `export default {
    shops: ${shops},
    server: {
      async routes(app) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        app.get("/robots.txt", () => "User-agent: *");
      },
    },
  };`;
  const folder = await createFolder({ "storefront.config.js": config });
  const { origin } = await startCli(["start"], { folder });
  expect(await (await fetch(`${origin}/robots.txt`)).text()).toBe("User-agent: *");
  const unknown = await fetch(`${origin}/nothing`);
  expect([unknown.status, unknown.headers.get("content-type")]).toEqual([
    404,
    "application/problem+json",
  ]);
});
