import { describe, expect, test } from "vitest";
import type { StorageOperation } from "../../../server/testing/storage-faults.ts";
import { createSetup } from "../../_setup.ts";
import { as } from "../../fixtures/trusting-auth.ts";
import { twinAt } from "../../fixtures/clients.ts";
import { askAdmin, describeLoss, ends, isLoggedIn, lossConfig } from "../../fixtures/loss.ts";

describeLoss("a user's index that is lost", ({ start, begin, lose, pass, remove }) => {
  test.each(["logoutEverywhere", "logoutEverywhere after a new login", "endUserSessions"])(
    "%s says that it may be incomplete, in its response and in the log",
    async (end) => {
      const devices = await lose(await begin(), "user:default:7", "deleted");
      const answer = await ends[end]?.(devices);
      expect(answer).toMatchObject({ status: 200, body: { complete: false } });
      expect(await isLoggedIn(devices.other)).toBe(
        end === "logoutEverywhere after a new login" || end === "endUserSessions",
      );
      const warnings = devices.server.lines.filter(({ message }) =>
        message.includes("because their index was lost"),
      );
      expect(warnings).toMatchObject([{ level: "warn" }]);
      const again = await askAdmin(devices.server, "endUserSessions", { userId: 7 });
      expect(again.body).toEqual({ ended: 0, complete: false });
      // No session that the lost index named can be active any more.
      await pass(61);
      const last = await askAdmin(devices.server, "endUserSessions", { userId: 7 });
      expect(last.body).toEqual({ ended: 0 });
    },
  );

  test.each(["updatePassword", "updateEmail", "destroySessionsForUserId"])(
    "%s says in the log that it may be incomplete",
    async (end) => {
      const devices = await lose(await begin(), "user:default:7", "deleted");
      const answer = await ends[end]?.(devices);
      if (end.startsWith("update")) {
        const body = { code: "session_changed", executed: true };
        expect(answer).toMatchObject({ status: 409, body, setCookies: [] });
      }
      const warnings = devices.server.lines.filter(({ message }) =>
        message.includes("because their index was lost"),
      );
      expect(warnings).toMatchObject([{ level: "warn" }]);
    },
  );

  test("an end of all sessions of the shop ends the rest immediately", async () => {
    const devices = await lose(await begin(), "user:default:7", "deleted");
    await ends["logoutEverywhere after a new login"]?.(devices);
    await ends["endAllSessions"]?.(devices);
    expect(await isLoggedIn(devices.lost)).toBe(false);
  });

  test("a session that is never used again ends with its idle timeout", async () => {
    const devices = await lose(await begin(), "user:default:7", "deleted");
    await pass(60);
    expect(await isLoggedIn(devices.lost)).toBe(false);
  });

  test("a session that the index doesn't name makes later ends incomplete, on every server", async () => {
    const devices = await lose(await begin(), "user:default:7", "deleted");
    const elsewhere = await start(lossConfig);
    await elsewhere.client().call("login", as(7));
    await pass(6);
    expect(await isLoggedIn(devices.lost)).toBe(false);
    const { body } = await askAdmin(elsewhere, "endUserSessions", { userId: 7 });
    expect(body).toEqual({ ended: 1, complete: false });
  });

  test("a server that has only seen a session of the user recognizes the lost index", async () => {
    const devices = await begin();
    const elsewhere = await start(lossConfig);
    expect(await isLoggedIn(twinAt(elsewhere, devices.lost))).toBe(true);
    await lose(devices, "user:default:7", "deleted");
    const { body } = await askAdmin(elsewhere, "endUserSessions", { userId: 7 });
    expect(body).toEqual({ ended: 0, complete: false });
  });

  test("a session ends in time although its absolute timeout leaves nothing to extend", async () => {
    const session = { ...lossConfig.session, absoluteTimeout: 70 };
    const server = await start({ ...lossConfig, session });
    const device = server.client();
    await device.call("login", as(7));
    await pass(20);
    expect(await isLoggedIn(device)).toBe(true);
    await remove("user:default:7");
    await pass(6);
    expect(await isLoggedIn(device)).toBe(false);
  });

  test("a session ends immediately if its old ID is used long after a renewal", async () => {
    const session = { ...lossConfig.session, maxAge: 3600, renewAfter: 60 };
    const server = await start({ ...lossConfig, session });
    const device = server.client();
    await device.call("login", as(7));
    const thief = device.clone();
    await pass(61);
    await device.call("getUser");
    await device.call("getUser");
    expect(device.sessionId).not.toBe(thief.sessionId);
    await remove("user:default:7");
    await pass(31);
    expect(await isLoggedIn(thief)).toBe(false);
    expect(await isLoggedIn(device)).toBe(false);
    expect(server.lines.map(({ message }) => message)).toContainEqual(
      expect.stringContaining("used a session ID that had been replaced"),
    );
  });

  test("a write that finds the lost index is rejected before it runs", async () => {
    const devices = await lose(await begin(), "user:default:7", "deleted");
    await pass(6);
    const answer = await devices.lost.call("note", { late: true });
    expect(answer).toMatchObject({
      status: 409,
      body: { code: "session_ended" },
      setCookies: [],
    });
  });

  test("an index that expired normally doesn't count as lost", async () => {
    const { server, lost, other } = await begin();
    await lost.call("logout");
    await other.call("logout");
    const next = server.client();
    await next.call("login", as(7));
    expect((await next.call("logoutEverywhere")).body).toEqual({ ended: 1 });
    await next.call("login", as(7));
    await pass(61);
    await next.call("login", as(7));
    expect((await next.call("logoutEverywhere")).body).toEqual({ ended: 1 });
  });
});

describe("the check of a session in its user's index", () => {
  const { startControlled } = createSetup("memory", "request", () => ({ driver: "memory" }));

  test("happens once in a tenth of the idle timeout, also near the absolute timeout", async () => {
    const { client, clock, storage } = await startControlled({
      ...lossConfig,
      session: { ...lossConfig.session, absoluteTimeout: 70 },
    });
    const device = client();
    await device.call("login", as(7));
    for (const _ of [1, 2, 3, 4, 5]) {
      await clock.advance(7);
      const before = storage.operations.length;
      await device.call("getUser");
      expect(storage.operations.slice(before).some(isOfIndex)).toBe(true);
      await device.call("getUser");
      const settled = storage.operations.length;
      await device.call("getUser");
      expect(storage.operations.slice(settled).filter(isOfIndex)).toEqual([]);
    }
  });
});

// --- Internal helpers ---

function isOfIndex({ key }: StorageOperation): boolean {
  return key.startsWith("user:");
}
