import type { Redis } from "ioredis";
import { afterEach, describe, vi } from "vitest";
import type { Auth } from "../rpc/accounts/auth.ts";
import type { StorefrontConfig } from "../server/config/config.ts";
import { until } from "./_documents.ts";
import { describeWithRedis, useRedis } from "./_redis.ts";
import { createSetup, type Setup, type TestStorefront } from "./_setup.ts";
import { CookieClient, type Answer } from "./_cookie-client.ts";

export const ada = { email: "ada@example.com", password: "right" };
export const eve = { email: "eve@example.com", password: "right" };
export const nobody = { email: "nobody@example.com", password: "right" };
export const wrong = (credentials: typeof ada) => ({ ...credentials, password: "wrong" });

/** An operator's own customers, so that no test waits for hashes. */
export function createAuth(own: Partial<Auth> = {}): Auth {
  return {
    login: async ({ email, password }) =>
      email !== nobody.email && password === "right" ? { id: email.slice(0, 3), email } : undefined,
    register: ({ email }) => Promise.resolve({ id: 1, email }),
    changePassword: async ({ oldPassword }) => oldPassword === "right",
    ...own,
  };
}

export const limited: Partial<StorefrontConfig> = {
  auth: createAuth(),
  loginAttempts: { perAccount: 3, perAddress: 5 },
};

/** A client with an IP address. */
export function clientAt(ip: string | undefined, { app }: TestStorefront): CookieClient {
  return new CookieClient(async (path, init) =>
    app.fetch(Object.assign(new Request(`http://localhost${path}`, init), { ip })),
  );
}

export const login = async (client: CookieClient, credentials: typeof ada) =>
  toShort(await client.call("login", credentials));
export const toShort = ({ status, body }: Answer) => `${status} ${body.code ?? "ok"}`;

/** Several at the same time. @returns the number of each answer */
export async function tally(answers: readonly Promise<string>[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const answer of await Promise.all(answers)) counts[answer] = (counts[answer] ?? 0) + 1;
  return counts;
}

export const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

export async function repeat(count: number, act: () => Promise<unknown>): Promise<void> {
  for (let index = 0; index < count; index++) await act();
}

/** Runs tests of login limits in memory and on Redis. @param tests get a function that lets seconds pass */
export function describeLimits(
  name: string,
  tests: (setup: Setup, pass: (seconds: number) => Promise<void>, redisUrl?: () => string) => void,
): void {
  describe(`${name} · memory`, () => {
    afterEach(() => void vi.useRealTimers());
    tests(
      createSetup("memory", "request", () => ({ driver: "memory" })),
      async (seconds) => {
        vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + seconds * 1000 });
      },
    );
  });

  describeWithRedis(`${name} · redis`, () => {
    const redis = useRedis();
    const setup = createSetup("redis", "request", () => ({
      driver: "redis",
      url: redis().url,
      base: "shop",
    }));
    afterEach(() => {
      vi.useRealTimers();
      return withClient(redis().url, (control) => control.flushall());
    });
    // Redis has a clock of its own, so the test shortens the lifetime of the counts.
    const pass = (seconds: number) =>
      withClient(redis().url, async (control) => {
        for (const key of await control.keys("shop:login-attempts:*")) {
          await control.pexpire(key, Math.max(1, (await control.pttl(key)) - seconds * 1000));
        }
        await until(async () => (await control.keys("shop:login-attempts:*")).length === 0);
        forgetBlocked();
      });
    tests(setup, pass, () => redis().url);
  });
}

export async function withClient<T>(
  url: string,
  use: (control: Redis) => Promise<T>,
): Promise<void> {
  const { Redis: Client } = await import("ioredis");
  const control = new Client(url);
  try {
    await use(control);
  } finally {
    control.disconnect();
  }
}

/** Lets a second pass, after which a process reads a reached limit again. */
export function forgetBlocked(): void {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(Date.now() + 1000);
}
