import { afterEach, expect, test, vi } from "vitest";
import { describeLastingStorages } from "../../_lasting-storages.ts";
import {
  createCountingSystem,
  openCall,
  openGrantServer,
  sweepsOf,
} from "../../fixtures/grant-calls.ts";

afterEach(() => vi.useRealTimers());

describeLastingStorages("the grant of a guest who logged in", (createStorage) => {
  test("stays for a pending merge, until the guest's session would have expired", async () => {
    const system = createCountingSystem();
    const server = openGrantServer(createStorage(), system);
    const guest = await openCall(server);
    await guest.grants.obtain();
    const { expiresAt = 0 } = guest.session.current ?? {};
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
});

/** Sets the clock of the process; timers go on. */
function setTime(now: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now });
}
