import { expect, test } from "vitest";
import { createTestClock, type TestClock } from "../../../server/testing/test-clock.ts";
import type { CookieClient } from "../../_cookie-client.ts";
import { describeStorages, type Setup } from "../../_setup.ts";
import { enterCounting, line, withKey } from "../../fixtures/counting-methods.ts";

describeStorages("the response to a call with an Idempotency-Key", (setup: Setup) => {
  let runs: unknown[];

  function enter(clock?: TestClock): Promise<CookieClient> {
    runs = [];
    return enterCounting(setup, runs, clock);
  }

  test("stays stored for responses of 64 KB together", async () => {
    const visitor = await enter();
    for (const key of ["one", "two", "three"]) {
      await visitor.call("large", 30_000, withKey(key));
    }
    expect(await visitor.call("large", 30_000, withKey("two"))).toMatchObject({ body: { run: 2 } });
    expect(await visitor.call("large", 30_000, withKey("three"))).toMatchObject({
      body: { run: 3 },
    });
    expect(await visitor.call("large", 30_000, withKey("one"))).toMatchObject({ body: { run: 4 } });
  });

  test("gives 409 to a repetition if it is larger than that", async () => {
    const visitor = await enter();
    expect(await visitor.call("large", 70_000, withKey("one"))).toMatchObject({ status: 200 });
    const again = await visitor.call("large", 70_000, withKey("one"));
    expect(again).toMatchObject({ status: 409, body: { code: "answer_not_kept", executed: true } });
    expect(runs).toEqual(["large"]);
    expect(await visitor.call("large", 2, withKey("two"))).toMatchObject({ body: { run: 2 } });
  });

  test("stays stored for 24 hours", async () => {
    const clock = createTestClock();
    const start = clock.now();
    const visitor = await enter(clock);
    const both = async () => {
      await visitor.call("addItemToBasket", line, withKey("two"));
      return visitor.call("count", 1, withKey("one"));
    };
    await both();
    for (const [hours, run, itemCount] of [
      [12, 1, 1],
      [23.9, 1, 1],
      [24.1, 2, 2],
    ] as const) {
      await clock.advance(hours * 3600 - (clock.now() - start) / 1000);
      expect(await both(), `after ${hours} hours`).toMatchObject({ body: { run } });
      expect(await visitor.call("getBasket")).toMatchObject({ body: { basket: { itemCount } } });
    }
  });
});
