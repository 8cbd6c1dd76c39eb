import { randomUUID } from "node:crypto";
import createMemoryDriver from "unstorage/drivers/memory";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { StorageConfig } from "../../../storage/documents/driver.ts";
import { describeWithRedis, useRedis } from "../../_redis.ts";
import {
  createCountingSystem,
  openCall,
  openGrantServer,
  sweepsOf,
} from "../../fixtures/grant-calls.ts";

describe("the grant of a guest who logged in, in memory", () => {
  describeGrant(() => ({ ...createMemoryDriver(), dispose() {} }));
});

describeWithRedis("the grant of a guest who logged in, on Redis", () => {
  const redis = useRedis();
  describeGrant(() => ({ driver: "redis", url: redis().url, base: randomUUID() }));
});

afterEach(() => vi.useRealTimers());

function describeGrant(toStorage: () => StorageConfig): void {
  test("stays for a pending merge, until the guest's session would have expired", async () => {
    const system = createCountingSystem();
    const server = openGrantServer(toStorage(), system);
    const guest = await openCall(server);
    await guest.grants.obtain();
    const { expiresAt = 0 } = guest.call.session.current ?? {};
    await guest.logIn(7);
    // The first sweep checks all entries.
    server.sweep();
    await expect.poll(() => sweepsOf(server)).toBe(1);
    expect(system.ended).toEqual([]);
    // By then, nothing of the guest's session is stored any more.
    setTime(Date.now() + 60_000);
    await server.shop.generations.advance([1001]);
    server.sweep();
    await expect.poll(() => sweepsOf(server)).toBe(2);
    expect(system.ended).toEqual([]);
    setTime(expiresAt + 60_000);
    server.sweep();
    await expect.poll(() => system.ended).toEqual(["begun-1"]);
  });
}

/** Sets the clock of the process; timers go on. */
function setTime(now: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now });
}
