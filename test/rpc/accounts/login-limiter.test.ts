import type { Redis } from "ioredis";
import type { Driver } from "unstorage";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { Auth } from "../../../rpc/accounts/auth.ts";
import { RpcError } from "../../../rpc/error.ts";
import { defineRpcMethod } from "../../../rpc/method.ts";
import type { StorefrontConfig } from "../../../server/config/config.ts";
import { openDriver } from "../../../storage/open-driver.ts";
import { until } from "../../_documents.ts";
import { Gate } from "../../_faulty-driver.ts";
import { describeWithRedis, startRedis, useRedis } from "../../_redis.ts";
import { createMatrix, type Matrix, type TestStorefront } from "../../_setup.ts";
import { Visitor, type Answer } from "../../_visitor.ts";
import { readStored } from "../../fixtures/stored.ts";

const ada = { email: "ada@example.com", password: "right" };
const eve = { email: "eve@example.com", password: "right" };
const nobody = { email: "nobody@example.com", password: "right" };
const wrong = (credentials: typeof ada) => ({ ...credentials, password: "wrong" });

/** An operator's own customers, so that no test waits for hashes. */
function createAuth(own: Partial<Auth> = {}): Auth {
  return {
    login: async ({ email, password }) =>
      email !== nobody.email && password === "right" ? { id: email.slice(0, 3), email } : undefined,
    register: ({ email }) => Promise.resolve({ id: 1, email }),
    changePassword: async ({ oldPassword }) => oldPassword === "right",
    ...own,
  };
}

const limited: Partial<StorefrontConfig> = {
  auth: createAuth(),
  loginAttempts: { perAccount: 3, perAddress: 5 },
};

/** A visitor at an address. */
function visitorAt(ip: string | undefined, { app }: TestStorefront): Visitor {
  return new Visitor(async (path, init) =>
    app.fetch(Object.assign(new Request(`http://localhost${path}`, init), { ip })),
  );
}

const login = async (visitor: Visitor, credentials: typeof ada) =>
  toShort(await visitor.call("login", credentials));
const toShort = ({ status, body }: Answer) => `${status} ${body.code ?? "ok"}`;

/** Several at once. @returns how often there was which answer */
async function tally(answers: readonly Promise<string>[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const answer of await Promise.all(answers)) counts[answer] = (counts[answer] ?? 0) + 1;
  return counts;
}

const enterAs = (id: string, email: string) =>
  defineRpcMethod({
    handler: async (_, context) => void (await context.createUserBoundSession({ id, email })),
  });

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

async function repeat(count: number, act: () => Promise<unknown>): Promise<void> {
  for (let index = 0; index < count; index++) await act();
}

describe("failed logins · memory", () => {
  afterEach(() => void vi.useRealTimers());
  describeLimit(
    createMatrix("memory", "request", () => ({ driver: "memory" })),
    async (seconds) => {
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + seconds * 1000 });
    },
  );
});

describeWithRedis("failed logins · redis", () => {
  const redis = useRedis();
  const matrix = createMatrix("redis", "request", () => ({
    driver: "redis",
    url: redis().url,
    base: "shop",
  }));
  afterEach(() => {
    vi.useRealTimers();
    return withClient(redis().url, (client) => client.flushall());
  });
  /** Redis has a clock of its own, so the counts are brought nearer to their end instead. */
  describeLimit(matrix, (seconds) =>
    withClient(redis().url, async (client) => {
      for (const key of await client.keys("shop:login-attempts:*")) {
        await client.pexpire(key, Math.max(1, (await client.pttl(key)) - seconds * 1000));
      }
      await until(async () => (await client.keys("shop:login-attempts:*")).length === 0);
      forget();
    }),
  );

  test("two storefronts count together, and know when the count ends", async () => {
    const [one, two] = [await matrix.start(limited), await matrix.start(limited)];
    for (const { visitor } of [one, two, one]) {
      expect(await login(visitor(), wrong(ada))).toBe("401 invalid_credentials");
    }
    for (const { visitor } of [one, two]) {
      expect(await login(visitor(), ada)).toBe("429 too_many_attempts");
    }
    await withClient(redis().url, async (client) => {
      const [key = ""] = await client.keys("*");
      expect(key).toMatch(/^shop:login-attempts:account:default:=[0-9a-f]{64}$/);
      await client.pexpire(key, 12_345);
    });
    forget();
    const { headers } = await two.visitor().call("login", ada);
    expect(["12", "13"]).toContain(headers.get("retry-after"));
  });

  test("fails a login whose count cannot be read, until the window has passed", async () => {
    matrix.allowErrors();
    const { visitor } = await matrix.start(limited);
    await login(visitor(), wrong(ada));
    await withClient(redis().url, async (client) => {
      const [key = ""] = await client.keys("*");
      await client.set(key, "many");
      expect(await login(visitor(), ada)).toBe("503 storage_unavailable");
      await client.del(key);
      await client.hset(key, "a", "hash");
      expect(await login(visitor(), ada)).toBe("503 storage_unavailable");
      expect(await client.ttl(key)).toBeGreaterThan(0);
    });
    expect(await login(visitor(), eve)).toBe("200 ok");
  });
});

describeWithRedis("failed logins, while Redis", () => {
  const { start, allowErrors } = createMatrix("memory", "request", () => ({ driver: "memory" }));

  test.each(["is down", "hangs"])("%s: nobody logs in without a limit", async (what) => {
    allowErrors();
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const storage = { account: { driver: "redis", url: redis.url } };
    const storefront = await start({ ...limited, storage });
    expect(await login(storefront.visitor(), wrong(ada))).toBe("401 invalid_credentials");
    const user = storefront.visitor();
    expect(await login(user, ada)).toBe("200 ok");
    await (what === "hangs" ? redis.pause() : redis.stop());
    for (const credentials of [ada, wrong(ada)]) {
      const answer = await storefront.visitor().call("login", credentials);
      expect(toShort(answer)).toBe("503 storage_unavailable");
      expect(answer.headers.get("retry-after")).toBe("1");
    }
    const passwords = { oldPassword: "right", newPassword: "battery staple" };
    expect(toShort(await user.call("updatePassword", passwords))).toBe("503 storage_unavailable");
    expect(JSON.stringify(storefront.lines)).not.toMatch(/rlflxIncr|login-attempts:account/);
  });
});

// --- Internal helpers ---

async function withClient<T>(url: string, use: (client: Redis) => Promise<T>): Promise<void> {
  const { Redis: Client } = await import("ioredis");
  const client = new Client(url);
  try {
    await use(client);
  } finally {
    client.disconnect();
  }
}

/** The tests of both drivers. @param pass lets so many seconds go by */
/** A process believes for a second that a limit is reached. */
function forget(): void {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(Date.now() + 1000);
}

function describeLimit(
  { start, storage, allowErrors }: Matrix,
  pass: (seconds: number) => Promise<void>,
): void {
  test("at an account's limit the right password is refused too, until the window has passed", async () => {
    const auth = createAuth();
    const asked = vi.spyOn(auth, "login");
    const { visitor } = await start({ ...limited, auth });
    await repeat(3, async () => {
      expect(await login(visitor(), wrong(ada))).toBe("401 invalid_credentials");
    });
    const refused = await visitor().call("login", ada);
    expect(refused.body).toEqual({
      type: "about:blank",
      title: "There were too many failed attempts",
      status: 429,
      code: "too_many_attempts",
    });
    expect(refused.headers.get("retry-after")).toMatch(/^(?:900|89\d)$/);
    expect(refused.setCookies).toEqual([]);
    expect(asked).toHaveBeenCalledTimes(3);
    expect(await login(visitor(1002), { ...ada, email: "ADA@example.com" })).toBe(
      "429 too_many_attempts",
    );
    expect(await login(visitor(), eve)).toBe("200 ok");
    await pass(900);
    expect(await login(visitor(), ada)).toBe("200 ok");
    await repeat(2, () => login(visitor(), wrong(ada)));
    expect(await login(visitor(), ada)).toBe("200 ok");
  });

  test("shops of another realm have counts of their own", async () => {
    const [german, american] = [
      { shopId: 1001, locale: "de-DE", currency: "EUR", path: "de", realm: "eu" },
      { shopId: 1002, locale: "en-US", currency: "USD", path: "us", realm: "us" },
    ];
    const { visitor } = await start({ ...limited, shops: [german, american] });
    await repeat(3, () => login(visitor(1001), wrong(ada)));
    expect(await login(visitor(1001), ada)).toBe("429 too_many_attempts");
    expect(await login(visitor(1002), ada)).toBe("200 ok");
  });

  test("an unknown account is answered as a known one", async () => {
    const { visitor } = await start(limited);
    const answers = async (credentials: typeof ada) => {
      const all: unknown[] = [];
      await repeat(5, async () => all.push((await visitor().call("login", credentials)).body));
      return all;
    };
    expect(await answers(nobody)).toEqual(await answers(wrong(ada)));
  });

  test("a login clears its account's count, and not its address's", async () => {
    const storefront = await start(limited);
    const at = (ip: string) => visitorAt(ip, storefront);
    await repeat(2, async () => {
      await repeat(2, () => login(at("192.0.2.1"), wrong(ada)));
      expect(await login(at("192.0.2.1"), ada)).toBe("200 ok");
    });
    expect(await login(at("192.0.2.1"), wrong(eve))).toBe("401 invalid_credentials");
    expect(await login(at("192.0.2.1"), eve)).toBe("429 too_many_attempts");
    expect(await login(at("192.0.2.2"), eve)).toBe("200 ok");
  });

  test("of IPv6, a network of 64 bits is one address; IPv4 is one however it is written", async () => {
    const storefront = await start({ ...limited, loginAttempts: { perAddress: 1 } });
    const blocked = async (failed: string, ip: string) => {
      await login(visitorAt(failed, storefront), wrong(ada));
      return (await login(visitorAt(ip, storefront), eve)) === "429 too_many_attempts";
    };
    expect(await blocked("2001:db8:0:1::1", "2001:DB8::1:ffff:0:0:9")).toBe(true);
    expect(await blocked("2001:db8:0:1::1", "2001:db8:0:2::1")).toBe(false);
    expect(await blocked("fe80::1%eth0", "fe80:0:0:0::2")).toBe(true);
    expect(await blocked("192.0.2.1", "::ffff:192.0.2.1")).toBe(true);
    expect(await blocked("192.0.2.1", "::ffff:192.0.2.2")).toBe(false);
    expect(await blocked("::1", "192.0.2.3")).toBe(false);
  });

  test("where the address is not known, only accounts are counted", async () => {
    const storefront = await start({ ...limited, loginAttempts: { perAddress: 1 } });
    for (const email of ["a@example.com", "b@example.com", "c@example.com"]) {
      const credentials = wrong({ ...ada, email });
      expect(await login(visitorAt(undefined, storefront), credentials)).toBe(
        "401 invalid_credentials",
      );
    }
  });

  test("50 at once with the right password all log in", async () => {
    const { visitor } = await start(limited);
    expect(await tally(times(50, () => login(visitor(), ada)))).toEqual({ "200 ok": 50 });
  });

  test("guesses at once tell no more than the limit, also the right one among them", async () => {
    const gate = new Gate();
    let arrived = 0;
    const auth = createAuth({
      async login({ password, email }) {
        arrived++;
        await gate.pass();
        return password === "right" ? { id: 7, email } : undefined;
      },
    });
    const { visitor } = await start({ ...limited, auth });
    const guesses = times(200, () => login(visitor(), wrong(ada)));
    await until(async () => arrived === 200);
    const right = visitor();
    const hit = login(right, ada);
    await until(async () => arrived === 201);
    gate.open();
    expect(await tally(guesses)).toEqual({
      "401 invalid_credentials": 3,
      "429 too_many_attempts": 197,
    });
    expect(await hit).toBe("429 too_many_attempts");
    expect(right.cookies.size).toBe(0);
  });

  test("updatePassword's old password is counted with the logins of the account", async () => {
    const { visitor } = await start(limited);
    const user = visitor();
    await login(user, ada);
    const change = async (oldPassword: string) =>
      toShort(await user.call("updatePassword", { oldPassword, newPassword: "battery staple" }));
    await repeat(2, async () => expect(await change("guess")).toBe("403 wrong_password"));
    expect(await change("right")).toBe("200 ok");
    await repeat(2, async () => expect(await change("guess")).toBe("403 wrong_password"));
    expect(await login(visitor(), wrong(ada))).toBe("401 invalid_credentials");
    expect(await change("right")).toBe("429 too_many_attempts");
    expect(await login(visitor(), ada)).toBe("429 too_many_attempts");
  });

  test("reauthenticate's password is counted with the logins of the account", async () => {
    const { visitor } = await start(limited);
    const user = visitor();
    await login(user, ada);
    const prove = async (password: string) =>
      toShort(await user.call("reauthenticate", { password }));
    await repeat(2, async () => expect(await prove("guess")).toBe("403 wrong_password"));
    expect(await login(visitor(), wrong(ada))).toBe("401 invalid_credentials");
    expect(await prove("right")).toBe("429 too_many_attempts");
  });

  test("old passwords that are guessed at once are looked at no more often than the limit", async () => {
    const gate = new Gate();
    const tried: string[] = [];
    const auth = createAuth({
      async changePassword({ oldPassword }) {
        tried.push(oldPassword);
        await gate.pass();
        return oldPassword === "right";
      },
    });
    const { visitor } = await start({ ...limited, auth });
    const user = visitor();
    await login(user, ada);
    const guess = async (oldPassword: string) =>
      toShort(await user.call("updatePassword", { oldPassword, newPassword: "battery staple" }));
    let refused = 0;
    const guesses = times(20, async () => {
      const answer = await guess("guess");
      if (answer === "429 too_many_attempts") refused++;
      return answer;
    });
    await until(async () => tried.length + refused === 20);
    // Three are under way, and not known to be wrong yet.
    const right = guess("right");
    await Promise.race([right, until(async () => tried.includes("right"))]);
    gate.open();
    expect(await right).toBe("429 too_many_attempts");
    expect(await tally(guesses)).toEqual({ "403 wrong_password": 3, "429 too_many_attempts": 17 });
    expect(tried).toEqual(["guess", "guess", "guess"]);
  });

  test("what an auth says by an error counts as it is meant", async () => {
    allowErrors();
    let error: Error = new RpcError("invalid_credentials");
    const fail = () => Promise.reject(error);
    const { visitor } = await start({
      ...limited,
      auth: createAuth({ login: fail, changePassword: fail }),
      methods: { enter: enterAs("ada", ada.email) },
    });
    const user = visitor();
    await user.call("enter");
    const change = async () =>
      toShort(
        await user.call("updatePassword", { oldPassword: "x", newPassword: "battery staple" }),
      );
    error = new Error("The system of the customers does not answer");
    await repeat(4, async () => {
      expect(await login(visitor(), ada)).toBe("500 internal_error");
      expect(await change()).toBe("500 internal_error");
    });
    error = new RpcError("locked", { status: 403, title: "This account is locked" });
    expect(await login(visitor(), ada)).toBe("403 locked");
    expect(await change()).toBe("403 locked");
    expect(await login(visitor(), ada)).toBe("403 locked");
    expect(await login(visitor(), ada)).toBe("429 too_many_attempts");
    expect(await change()).toBe("429 too_many_attempts");
  });

  test("false is no limit", async () => {
    const { visitor } = await start({ ...limited, loginAttempts: false });
    const user = visitor();
    await repeat(12, async () => {
      expect(await login(visitor(), wrong(ada))).toBe("401 invalid_credentials");
    });
    expect(await login(user, ada)).toBe("200 ok");
    const passwords = { oldPassword: "right", newPassword: "battery staple" };
    expect(toShort(await user.call("updatePassword", passwords))).toBe("200 ok");
  });

  test("neither an e-mail address nor an IP address lies in the storage", async () => {
    const driver: Driver = openDriver(storage());
    const storefront = await start({ ...limited, storage: { session: driver } });
    await login(visitorAt("192.0.2.1", storefront), wrong(ada));
    await login(visitorAt("192.0.2.1", storefront), wrong(nobody));
    expect(JSON.stringify(await readStored(driver))).not.toMatch(/ada|nobody|example|192|@/);
  });
}
