import { expect, test } from "vitest";
import { CookieClient } from "../_cookie-client.ts";
import type { RunningExample } from "./_example.ts";
import { expectVerbs } from "./_verbs.ts";

/** Tests the promises that an example keeps in each framework: redirects, HTTP methods, origins, and addresses. */
export function testPages(getApp: () => RunningExample): void {
  const send = (path: string, init?: RequestInit) => fetch(`${getApp().origin}${path}`, init);

  test("redirects a page to itself if its cookie was replaced a moment ago", async () => {
    const client = new CookieClient(send);
    await client.call("addItemToBasket", { variantId: 7, quantity: 1 });
    const old = client.cookieHeader;
    const user = { email: "old@example.com", password: "correct horse 9", firstName: "Ada" };
    expect(await client.call("register", user)).toMatchObject({ status: 200 });
    const response = await send("/?page=1", { headers: { cookie: old }, redirect: "manual" });
    expect(response.status).toBe(307);
    expect(response.headers.get("location")).toBe("/?page=1");
    const next = await send("/?page=1", { headers: { cookie: client.cookieHeader } });
    expect(await next.text()).toContain("Hello, Ada!");
  });

  test("disables its buttons until their script runs", async () => {
    expect(await (await send("/")).text()).toContain("<fieldset disabled");
  });

  test("responds to every HTTP method, also for paths without a method", async () => {
    for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
      const { status, headers } = await send("/api/rpc/unknown", { method });
      expect(status, method).toBe(404);
      expect(headers.get("content-type"), method).toBe("application/problem+json");
    }
  });

  test("passes on PUT and DELETE with their bodies and queries", async () => {
    await expectVerbs(new CookieClient(send));
  });

  test("accepts the pages of its own origin only, and finds the client's address", async () => {
    const app = getApp();
    for (const [origin, status] of [
      [app.origin, 200],
      ["https://evil.example", 403],
    ] as const) {
      const headers = { origin, "content-type": "application/json" };
      const response = await send("/api/rpc/getBasket", { method: "POST", body: "{}", headers });
      expect(response.status, origin).toBe(status);
    }
    expect(app.output()).not.toContain("no IP address");
  });
}
