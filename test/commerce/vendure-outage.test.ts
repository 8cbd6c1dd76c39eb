import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Answer, CookieClient } from "../_cookie-client.ts";
import { tally } from "./_answers.ts";
import { ada, variants } from "./_vendure.ts";
import { expectOk, oneMug, useVendureShop } from "./_vendure-shop.ts";

/** How long Vendure is down. */
const seconds = Number(process.env["COMMERCE_OUTAGE_SECONDS"] ?? "5");

const getShop = useVendureShop({ lasting: true });

test.each(["stopped", "killed"] as const)(
  "fails fast while Vendure is %s under load, logs nobody out, and catches up when it is back",
  { timeout: 120_000 + seconds * 2000 },
  async (kind) => {
    const { vendure } = getShop();
    await expect.poll(() => getShop().guest().call("login", ada)).toMatchObject({ status: 200 });
    const leaving = await getShop().loginAnew();
    const token = getShop().latestToken();
    const customer = getShop().guest();
    await register(customer);
    expectOk(await customer.call("addItemToBasket", oneMug));
    const guests = Array.from({ length: 3 }, () => getShop().guest());
    for (const guest of guests) expectOk(await guest.call("addItemToBasket", oneMug));

    if (kind === "stopped") vendure.pause();
    else await vendure.kill();
    // Opens the circuit breakers of both servers.
    await Promise.all(Array.from({ length: 12 }, () => customer.call("getBasket")));
    expectOk(await leaving.call("logout"));
    const load = startLoad(
      guests.flatMap((guest) => [
        () => guest.call("getBasket"),
        () => guest.call("addItemToBasket", oneMug),
      ]),
      [
        () => customer.call("getUser"),
        () => customer.call("addItemToWishlist", { variantId: variants.kettle }),
        ...guests.map((guest) => () => guest.call("getWishlist")),
      ],
    );
    const before = getShop().proxy.requests.length;
    await sleep(seconds * 1000);
    const { needy, others } = await load.stop();
    const sent = getShop().proxy.requests.slice(before);
    expect(tally(needy.map(({ answer }) => answer))).toEqual({
      "503 commerce_unavailable": needy.length,
    });
    expect(tally(others.map(({ answer }) => answer))).toEqual({ 200: others.length });
    const times = needy.map(({ milliseconds }) => milliseconds).toSorted((a, b) => a - b);
    const [median = 0, p90 = 0] = [0.5, 0.9].map(
      (share) => times[Math.floor(times.length * share)],
    );
    expect(median).toBeLessThan(100);
    // No call has waited for Vendure: only the probes of the servers have tried it.
    expect(sent.length).toBeGreaterThanOrEqual(2 * seconds);
    expect(sent.filter(({ body }) => !body.includes("activeChannel"))).toEqual([]);

    if (kind === "stopped") vendure.resume();
    else await vendure.restart();
    const returned = performance.now();
    const visits = startLoad(guests.map((guest) => () => guest.call("getBasket")));
    const logouts = () => getShop().proxy.requests.filter(({ body }) => body.includes("logout"));
    const ended = logouts().length;
    const options = { interval: 20, timeout: 20_000 };
    await expect.poll(() => logouts().length, options).toBeGreaterThan(ended);
    const begun = performance.now() - returned;
    await expect.poll(() => vendure.isActive(token), options).toBe(false);
    const caughtUp = performance.now() - returned;
    await visits.stop();
    console.log({ kind, median, p90, needy: needy.length, begun, caughtUp });
    // Vendure is probed twice a second. Then the work that is owed begins. How long it takes is up to Vendure.
    expect(begun).toBeLessThan(3000);
    await expect.poll(() => customer.call("getBasket")).toMatchObject({ status: 200 });
    expect(expectOk(await customer.call("getUser")).body.user).toBeDefined();
    for (const guest of guests) {
      const { basket } = expectOk(await guest.call("getBasket")).body;
      expect(basket.items).toMatchObject([{ variantId: oneMug.variantId }]);
    }
  },
);

// --- Internal helpers ---

interface TimedAnswer {
  readonly answer: Answer;
  readonly milliseconds: number;
}

/** Repeats calls until it is stopped, each after its last response and a short pause. */
function startLoad(needy: readonly Call[], others: readonly Call[] = []) {
  const end = new AbortController();
  const repeat = async (call: Call, answers: TimedAnswer[]) => {
    while (!end.signal.aborted) {
      const start = performance.now();
      const answer = await call();
      answers.push({ answer, milliseconds: performance.now() - start });
      await sleep(100);
    }
  };
  const found = { needy: [] as TimedAnswer[], others: [] as TimedAnswer[] };
  const running = [
    ...needy.map((call) => repeat(call, found.needy)),
    ...others.map((call) => repeat(call, found.others)),
  ];
  return {
    async stop() {
      end.abort();
      await Promise.all(running);
      return found;
    },
  };
}

type Call = () => Promise<Answer>;

async function register(client: CookieClient): Promise<void> {
  const email = `grace-${Math.random()}@example.com`;
  expectOk(await client.call("register", { email, password: "correct horse 2" }));
}
