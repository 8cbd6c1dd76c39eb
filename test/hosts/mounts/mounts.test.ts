import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { describeWithChromium } from "../../_chromium.ts";
import { testAccount } from "../../_client.ts";
import { startCommand } from "../../_command.ts";
import { CookieClient } from "../../_cookie-client.ts";
import { testSecret } from "../../_setup.ts";
import { startFrontProxy } from "../_front-proxy.ts";
import { expectVerbs } from "../_verbs.ts";

const cwd = fileURLToPath(new URL("../../../examples/mounts", import.meta.url));

beforeAll(() => {
  execFileSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd, stdio: "pipe" });
});

/** Starts an example, and returns its origin. */
async function startExample(name: string) {
  const env = { PORT: "0", STOREFRONT_SESSION_SECRET: testSecret };
  const says = /listens on (\S+)\n/;
  const command = /^(?:bun|deno)$/.test(name) ? `npm run start:${name}` : `npm start ${name}`;
  const running = await startCommand(command, { cwd, env }, (text) => says.test(text));
  return { origin: says.exec(running.output())?.[1] ?? "", stop: () => running.stop() };
}

const examples: readonly (readonly [name: string, prefix: string])[] = [
  ["node-http", ""],
  ["express", ""],
  ["express-prefix", "/shop"],
  ["fastify", ""],
  ["fastify-prefix", "/shop"],
  ["hono", ""],
  ["hono-prefix", "/shop"],
  ["bun", ""],
  ["deno", ""],
  ["h3", ""],
  ["h3-v1", ""],
];

describe.each(examples)("examples/mounts/%s.js", (name, prefix) => {
  let example: Awaited<ReturnType<typeof startExample>>;
  beforeAll(async () => {
    example = await startExample(name);
  });
  afterAll(() => example.stop());

  const open = () => {
    const { origin } = example;
    const client = new CookieClient((path, init) =>
      fetch(`${origin}${path.startsWith("/api") ? prefix : ""}${path}`, init),
    );
    /** Sends the page's form, or opens the page. */
    const page = async (method: "GET" | "POST") => {
      const headers: Record<string, string> = { cookie: client.cookieHeader };
      if (method === "POST") {
        headers["content-type"] = "application/x-www-form-urlencoded";
        headers["origin"] = origin;
      }
      const response = await fetch(origin, {
        method,
        headers,
        ...(method === "POST" && { body: "" }),
      });
      const cookies = response.headers.getSetCookie();
      for (const line of cookies) {
        const [, id = "", value = ""] = /^(.+?)=(.*?);/.exec(line) ?? [];
        client.cookies.set(id, value);
      }
      return { text: await response.text(), cookies, headers: response.headers };
    };
    return { origin, client, page };
  };

  test("keeps a guest's basket from the page's form to the login, and until the logout", async () => {
    const { client, page } = open();
    const posted = await page("POST");
    expect(posted.text).toContain("<h1>2 items</h1>");
    expect(posted.cookies).toHaveLength(1);
    expect(posted.headers.get("cache-control")).toBe("private, no-store");
    const added = await client.call("addItemToBasket", { variantId: 9, quantity: 1 });
    expect(added.body.basket.itemCount).toBe(3);
    const registered = await client.call("register", testAccount);
    expect(registered).toMatchObject({ status: 200, body: { merge: { status: "merged" } } });
    const shown = await page("GET");
    expect(shown.text).toContain("<h1>3 items</h1>\n<p>A customer</p>");
    expect(shown.cookies).toEqual([]);
    expect((await client.call("logout")).status).toBe(204);
    expect((await page("GET")).text).toContain("<h1>0 items</h1>\n<p>A guest</p>");
  });

  test("knows the client's address and scheme, and the page's own origin", async () => {
    const { origin, client } = open();
    expect((await client.call("showAddress")).body).toBe("127.0.0.1");
    const proxied = {
      "x-forwarded-for": "203.0.113.9",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "shop.example",
      origin: "https://shop.example",
    };
    expect((await client.call("showAddress", undefined, proxied)).body).toBe("203.0.113.9");
    const item = { variantId: 1, quantity: 1 };
    const added = await client.call("addItemToBasket", item, proxied);
    expect(added.setCookies[0]).toContain("; Secure");
    const visit = await fetch(`${origin}/`, { method: "POST", headers: proxied, body: "" });
    expect(await visit.text()).toContain("<h1>2 items</h1>");
    expect(visit.headers.get("set-cookie")).toContain("; Secure");
    expect((await client.call("getBasket", undefined, { origin })).status).toBe(200);
    const foreign = await client.call("getBasket", undefined, { origin: "https://evil.example" });
    expect(foreign.body.code).toBe("foreign_origin");
  });

  test("passes on PUT and DELETE with their bodies and queries", async () => {
    await expectVerbs(open().client);
  });

  test("responds to each HTTP method and each error, and leaves other paths to the framework", async () => {
    const { origin } = open();
    const statusOf = async (method: string, path: string, init: RequestInit = {}) => {
      const response = await fetch(`${origin}${prefix}${path}`, { method, ...init });
      return [response.status, response.headers.get("content-type")];
    };
    const problem = "application/problem+json";
    const shop = "/api/rpc/getShopConfiguration";
    expect(await statusOf("GET", shop)).toEqual([200, "application/json"]);
    expect((await statusOf("HEAD", shop))[0]).toBe(200);
    for (const method of ["PUT", "DELETE", "PATCH"]) {
      expect(await statusOf(method, shop), method).toEqual([405, problem]);
    }
    const preflight = { origin: "https://evil.example", "access-control-request-method": "POST" };
    expect(await statusOf("OPTIONS", shop, { headers: preflight })).toEqual([403, problem]);
    const headers = { "content-type": "application/json" };
    const long = { headers, body: JSON.stringify({ payload: "x".repeat(150_000) }) };
    if (name !== "express") {
      expect(await statusOf("POST", "/api/rpc/getBasket", long)).toEqual([413, problem]);
    }
    expect(await statusOf("POST", "/api/rpc/unknown", { headers, body: "{}" })).toEqual([
      404,
      problem,
    ]);
    expect((await statusOf("GET", "/healthz"))[0]).toBe(200);
    if (prefix !== "") return;
    expect((await statusOf("GET", "/elsewhere"))[1]).not.toBe(problem);
  });
});

describeWithChromium("the examples behind a proxy that terminates TLS", ["openssl"], (open) => {
  test.each(examples)(
    "%s lets a guest fill the basket, register, keep the basket, and log out",
    async (name, prefix) => {
      const { origin: upstream, stop } = await startExample(name);
      onTestFinished(stop);
      const origin = await startFrontProxy(upstream);
      const page = await open();
      await page.goto(origin);
      await page.getByRole("button", { name: "Add two products" }).click();
      await page.getByRole("heading", { name: "2 items" }).waitFor();
      const call = (method: string, payload?: object) =>
        page.evaluate(
          async ([path, body]) => {
            const headers = { "content-type": "application/json" };
            return (await fetch(path, { method: "POST", headers, body })).status;
          },
          [`${prefix}/api/rpc/${method}`, JSON.stringify({ payload })] as const,
        );
      expect(await call("register", testAccount)).toBe(200);
      await page.goto(origin);
      await page.getByText("A customer").waitFor();
      await page.getByRole("heading", { name: "2 items" }).waitFor();
      const cookies = await page.context().cookies(origin);
      expect(cookies).toMatchObject([{ secure: true, httpOnly: true }]);
      expect(await call("logout")).toBe(204);
      await page.goto(origin);
      await page.getByText("A guest").waitFor();
      await page.getByRole("heading", { name: "0 items" }).waitFor();
    },
  );
});
