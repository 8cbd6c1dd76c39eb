import { describe, expect, test } from "vitest";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { createFaultyDriver, outage, type FaultyDriver } from "../../_faulty-driver.ts";
import { createSetup } from "../../_setup.ts";
import { createCountingSystem, openCall, openGrantServer } from "../../fixtures/grant-calls.ts";
import { as, trustingAuth } from "../../fixtures/trusting-auth.ts";
import { testMethods } from "../../fixtures/methods.ts";

/* Systems rotate refresh tokens: if a renewed token isn't stored, the next renewal fails, and the user is logged out. */

describe("a renewed grant", () => {
  test("reaches the storage when it responds again after two failed writes", async () => {
    const faulty = createFaultyDriver();
    const system = createCountingSystem();
    const server = openGrantServer(faulty.driver, { grants: system.grants });
    const { session, grants } = await openCall(server);
    system.lasts = 0;
    await grants.obtain();
    system.lasts = 60_000;
    system.before = () => failWrites(faulty, "commerce-grant:", 2);
    expect(await grants.obtain()).toMatchObject({ token: "renewed-1" });
    const next = await openCall(server, session.id);
    expect(await next.grants.obtain()).toMatchObject({ token: "renewed-1" });
    expect(system.renewed).toBe(1);
  });
});

describe("renewed tokens", () => {
  const faulty = createFaultyDriver();
  const { start } = createSetup("memory", "request", () => faulty.driver);

  test("reach the storage when it responds again after two failed writes", async () => {
    const upstream = defineRpcMethod({
      handler: (_, { obtainTokens }) =>
        obtainTokens(async () => {
          failWrites(faulty, "session:", 2);
          return { accessToken: "renewed", expiresAt: Date.now() + 60_000 };
        }),
    });
    const { client } = await start({ auth: trustingAuth, methods: { ...testMethods, upstream } });
    const user = client();
    await user.call("login", as(7));
    expect((await user.call("upstream")).body).toMatchObject({ accessToken: "renewed" });
    expect((await user.call("upstream")).body).toMatchObject({ accessToken: "renewed" });
  });
});

// --- Internal helpers ---

/** Lets the next writes of documents fail. */
function failWrites(faulty: FaultyDriver, prefix: string, count: number): void {
  let left = count;
  faulty.before = ({ kind, key }) => {
    if (kind === "write" && key.startsWith(prefix) && left-- > 0) outage();
  };
}
