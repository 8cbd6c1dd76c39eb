import { once } from "node:events";
import { request as sendRequest, type IncomingMessage } from "node:http";
import { describe, expect, test } from "vitest";
import { createStorefront } from "../../server/storefront.ts";
import { createFaultyDriver, hold, outage } from "../_faulty-driver.ts";
import { createSetup, testConfig } from "../_setup.ts";
import { itemsOf, line, userOf } from "../fixtures/clients.ts";
import { as, trustingAuth } from "../fixtures/trusting-auth.ts";
import { testMethods } from "../fixtures/methods.ts";

// More classes of advisories than in `advisories.test.ts`: paths, limits, and failing storages.

describe("a custom server", () => {
  const { start, startControlled } = createSetup("memory", "server", () => ({ driver: "memory" }));
  const admin = { token: "an-admin-token-of-more-than-32-characters" };

  // A rule is bypassed by encoding or prefix (Astro, GHSA-ggxq-hp9w-j794; @hono/node-server, CVE-2026-29087).
  test.each([
    "/api/rpc/%67etUser",
    "/api/rpc/getUser%2f",
    "/api%2frpc/getUser",
    "/api/rpc/getUser/",
    "/api//rpc/getUser",
    "//api/rpc/getUser",
    "/api/rpc/./getUser",
    "/x/../api/rpc/getUser",
    "/api\\rpc\\getUser",
    "/API/rpc/getUser",
    "/x/api/rpc/getUser",
    "/api/admin/%65ndAllSessions",
    "/x/../api/admin/endAllSessions",
    "/api/admin/endAllSessions/",
  ])("responds 404 to the path %s", async (path) => {
    const { send } = await start({ admin });
    const headers = { "x-shop-id": "1001", authorization: `Bearer ${admin.token}` };
    expect(await statusOf(await originOf(send), path, headers)).toBe(404);
  });

  // Counts of cookies are a denial of service (h3, GHSA-q5pr-72pq-83v3; Go's net/http, CVE-2025-58186).
  test("reads at most 8 sessions for a header full of signed cookies", async () => {
    const { client, storage } = await startControlled({ methods: testMethods, auth: trustingAuth });
    const cookies: string[] = [];
    for (let count = 0; count < 120; count++) {
      const guest = client();
      await guest.call("note", { count });
      cookies.push(guest.cookieHeader);
      await guest.call("logout");
    }
    storage.operations.length = 0;
    const cookie = cookies.join("; ");
    const answer = await client().call("getUser", undefined, { cookie });
    expect(answer.status).toBe(200);
    const reads = storage.operations.filter(
      ({ kind, key }) => kind === "read" && key.startsWith("session:1"),
    );
    expect(reads.length).toBeLessThanOrEqual(8);
  });

  // A protection is switched off in silence by the way the program is started (rack-session, CVE-2026-39324).
  test("keeps the limits and the origin check", async () => {
    const { client } = await start({ maxBodySize: 1000 });
    const shop = client();
    const large = await shop.call("getUser", undefined, { "x-large": "x".repeat(17_000) });
    expect(large.status).toBe(431);
    const foreign = await shop.call("getUser", undefined, { origin: "https://attacker.example" });
    expect(foreign.status).toBe(403);
    expect((await shop.call("getUser", "x".repeat(2000))).status).toBe(413);
  });

  test.each([[undefined], [""], [[]], [[""]], ["short"]])(
    "isn't created for production with the secret %j",
    (secret) => {
      const config = { ...testConfig(), session: { secret } };
      expect(() => createStorefront(config, { production: true })).toThrow(/secret/);
    },
  );
});

describe("a failing storage", () => {
  const { start, startControlled, allowErrors } = createSetup("memory", "server", () => ({
    driver: "memory",
  }));

  // A transient error of an upstream logs visitors out (Frappe, issue 39905; Open Mercato, pull request 4191).
  test("logs nobody out", async () => {
    allowErrors();
    const { client, storage } = await startControlled({ auth: trustingAuth });
    const user = client();
    await user.call("login", as(7));
    storage.fail("any");
    expect(await user.call("getUser")).toMatchObject({ status: 503, setCookies: [] });
    storage.heal();
    expect(await userOf(user)).toMatchObject({ id: 7 });
  });

  // A revocation succeeds although the store rejected it (Twenty, pull request 23642).
  test.each(["logout", "logoutEverywhere"])(
    "responds 503 to %s, which works later",
    async (end) => {
      allowErrors();
      const { client, storage } = await startControlled({ auth: trustingAuth });
      const user = client();
      await user.call("login", as(7));
      for (const kind of ["write", "take"] as const) storage.fail(kind);
      const refused = await user.clone().call(end);
      expect(refused.status).toBe(503);
      storage.heal();
      const twin = user.clone();
      expect((await user.call(end)).status).toBeLessThan(300);
      expect(await userOf(twin)).toBeUndefined();
    },
  );

  // A refill of the cache restores a revoked session (Ente, pull request 12071; Storyden, pull request 801).
  test("doesn't restore a revoked session from a late read", async () => {
    const faulty = createFaultyDriver();
    const { client } = await start({
      storage: { session: faulty.driver },
      session: { cache: { ttl: 60 } },
      auth: trustingAuth,
    });
    const user = client();
    await user.call("login", as(7));
    const twin = user.clone();
    const barrier = hold(faulty, "after", "read session:1001:");
    const late = twin.call("getUser");
    await barrier.reached;
    await user.call("logout");
    barrier.open();
    await late;
    expect(await userOf(twin.clone())).toBeUndefined();
  });

  // Half a login is cached as a whole one (better-auth, GHSA-xg6x-h9c9-2m83).
  test("leaves no usable session of a failed login", async () => {
    allowErrors();
    const faulty = createFaultyDriver();
    const { client } = await start({ storage: { session: faulty.driver }, auth: trustingAuth });
    const guest = client();
    await guest.call("addItemToBasket", line);
    const other = guest.clone();
    const written: string[] = [];
    faulty.before = ({ kind, key }) => {
      if (kind === "write") written.push(key);
      if (kind === "write" && key.startsWith("user:")) outage();
    };
    const login = await guest.call("login", as(7));
    expect(login).toMatchObject({ status: 503, setCookies: [] });
    faulty.heal();
    expect(await userOf(other)).toBeUndefined();
    expect(await itemsOf(other)).toMatchObject([line]);
    expect(written.some((key) => key.startsWith("session:1001:"))).toBe(true);
    const left = [...faulty.stored()].filter(([key]) => key.startsWith("session:1001:"));
    expect(left.filter(([, text]) => text.includes("7@example.com"))).toEqual([]);
  });
});

// --- Internal helpers ---

/** The origin that a test's requests go to. */
async function originOf(send: (path: string, init: RequestInit) => Promise<Response>) {
  return new URL((await send("/healthz", {})).url).origin;
}

/** Sends a path as it is, which `fetch` would normalize. */
async function statusOf(
  origin: string,
  path: string,
  headers: Record<string, string>,
): Promise<number | undefined> {
  const { hostname, port } = new URL(origin);
  const sent = sendRequest({ hostname, port, path, method: "POST", headers });
  sent.end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  response.resume();
  return response.statusCode;
}
