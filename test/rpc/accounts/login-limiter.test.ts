import type { Driver } from "unstorage";
import { expect, onTestFinished, test, vi } from "vitest";
import { openDriver } from "../../../storage/open-driver.ts";
import {
  ada,
  createAuth,
  describeLimits,
  eve,
  forgetBlocked,
  limited,
  login,
  nobody,
  repeat,
  toShort,
  clientAt,
  withClient,
  wrong,
} from "../../_logins.ts";
import { describeWithRedis, startRedis } from "../../_redis.ts";
import { createSetup } from "../../_setup.ts";
import { readStored } from "../../fixtures/stored.ts";

describeLimits("failed logins", (setup, pass, url) => {
  const { start, storage } = setup;

  test("reject the right password, too, at an account's limit, until the window has passed", async () => {
    const auth = createAuth();
    const asked = vi.spyOn(auth, "login");
    const { client } = await start({ ...limited, auth });
    await repeat(3, async () => {
      expect(await login(client(), wrong(ada))).toBe("401 invalid_credentials");
    });
    const refused = await client().call("login", ada);
    expect(refused.body).toEqual({
      type: "about:blank",
      title: "There were too many failed attempts",
      status: 429,
      code: "too_many_attempts",
    });
    expect(refused.headers.get("retry-after")).toMatch(/^(?:900|89\d)$/);
    expect(refused.setCookies).toEqual([]);
    expect(asked).toHaveBeenCalledTimes(3);
    expect(await login(client(1002), { ...ada, email: "ADA@example.com" })).toBe(
      "429 too_many_attempts",
    );
    expect(await login(client(), eve)).toBe("200 ok");
    await pass(900);
    expect(await login(client(), ada)).toBe("200 ok");
    await repeat(2, () => login(client(), wrong(ada)));
    expect(await login(client(), ada)).toBe("200 ok");
  });

  test("have counts of their own in another realm", async () => {
    const [german, american] = [
      { shopId: 1001, locale: "de-DE", currency: "EUR", path: "de", realm: "eu" },
      { shopId: 1002, locale: "en-US", currency: "USD", path: "us", realm: "us" },
    ];
    const { client } = await start({ ...limited, shops: [german, american] });
    await repeat(3, () => login(client(1001), wrong(ada)));
    expect(await login(client(1001), ada)).toBe("429 too_many_attempts");
    expect(await login(client(1002), ada)).toBe("200 ok");
  });

  test("get the same response for an unknown account", async () => {
    const { client } = await start(limited);
    const answers = async (credentials: typeof ada) => {
      const all: unknown[] = [];
      await repeat(5, async () => all.push((await client().call("login", credentials)).body));
      return all;
    };
    expect(await answers(nobody)).toEqual(await answers(wrong(ada)));
  });

  test("reset at a login for the account, but not for the IP address", async () => {
    const storefront = await start(limited);
    const at = (ip: string) => clientAt(ip, storefront);
    await repeat(2, async () => {
      await repeat(2, () => login(at("192.0.2.1"), wrong(ada)));
      expect(await login(at("192.0.2.1"), ada)).toBe("200 ok");
    });
    expect(await login(at("192.0.2.1"), wrong(eve))).toBe("401 invalid_credentials");
    expect(await login(at("192.0.2.1"), eve)).toBe("429 too_many_attempts");
    expect(await login(at("192.0.2.2"), eve)).toBe("200 ok");
  });

  test("count a /64 network of IPv6 as one address, and an IPv4 address in all its forms as one", async () => {
    const storefront = await start({ ...limited, loginAttempts: { perAddress: 1 } });
    const blocked = async (failed: string, ip: string) => {
      await login(clientAt(failed, storefront), wrong(ada));
      return (await login(clientAt(ip, storefront), eve)) === "429 too_many_attempts";
    };
    expect(await blocked("2001:db8:0:1::1", "2001:DB8::1:ffff:0:0:9")).toBe(true);
    expect(await blocked("2001:db8:0:1::1", "2001:db8:0:2::1")).toBe(false);
    expect(await blocked("fe80::1%eth0", "fe80:0:0:0::2")).toBe(true);
    expect(await blocked("192.0.2.1", "::ffff:192.0.2.1")).toBe(true);
    expect(await blocked("192.0.2.1", "::ffff:192.0.2.2")).toBe(false);
    expect(await blocked("::1", "192.0.2.3")).toBe(false);
  });

  test("count for accounts only if the IP address is unknown", async () => {
    const storefront = await start({ ...limited, loginAttempts: { perAddress: 1 } });
    for (const email of ["a@example.com", "b@example.com", "c@example.com"]) {
      const credentials = wrong({ ...ada, email });
      expect(await login(clientAt(undefined, storefront), credentials)).toBe(
        "401 invalid_credentials",
      );
    }
  });

  test("have no limit if loginAttempts is false", async () => {
    const { client } = await start({ ...limited, loginAttempts: false });
    const user = client();
    await repeat(12, async () => {
      expect(await login(client(), wrong(ada))).toBe("401 invalid_credentials");
    });
    expect(await login(user, ada)).toBe("200 ok");
    const passwords = { oldPassword: "right", newPassword: "battery staple" };
    expect(toShort(await user.call("updatePassword", passwords))).toBe("200 ok");
  });

  test("store no email address and no IP address", async () => {
    const driver: Driver = openDriver(storage());
    const storefront = await start({ ...limited, storage: { session: driver } });
    await login(clientAt("192.0.2.1", storefront), wrong(ada));
    await login(clientAt("192.0.2.1", storefront), wrong(nobody));
    expect(JSON.stringify(await readStored(driver))).not.toMatch(/ada|nobody|example|192|@/);
  });

  if (url === undefined) return;

  test("share their counts, and the end of the window, between two servers", async () => {
    const [one, two] = [await setup.start(limited), await setup.start(limited)];
    for (const { client } of [one, two, one]) {
      expect(await login(client(), wrong(ada))).toBe("401 invalid_credentials");
    }
    for (const { client } of [one, two]) {
      expect(await login(client(), ada)).toBe("429 too_many_attempts");
    }
    await withClient(url(), async (control) => {
      const [key = ""] = await control.keys("*");
      expect(key).toMatch(/^shop:login-attempts:account:default:=[0-9a-f]{64}$/);
      await control.pexpire(key, 12_345);
    });
    forgetBlocked();
    const { headers } = await two.client().call("login", ada);
    expect(["12", "13"]).toContain(headers.get("retry-after"));
  });

  test("don't reject logins after their window because the clock was set back", async () => {
    const { client } = await setup.start(limited);
    await repeat(3, () => login(client(), wrong(ada)));
    expect(await login(client(), ada)).toBe("429 too_many_attempts");
    // The window passes in Redis, which has a clock of its own.
    await withClient(url(), (control) => control.flushall());
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - 3_600_000 });
    expect(await login(client(), ada)).toBe("200 ok");
  });

  test("fail a login whose count can't be read, until the window has passed", async () => {
    setup.allowErrors();
    const { client } = await setup.start(limited);
    await login(client(), wrong(ada));
    await withClient(url(), async (control) => {
      const [key = ""] = await control.keys("*");
      await control.set(key, "many");
      expect(await login(client(), ada)).toBe("503 storage_unavailable");
      await control.del(key);
      await control.hset(key, "a", "hash");
      expect(await login(client(), ada)).toBe("503 storage_unavailable");
      expect(await control.ttl(key)).toBeGreaterThan(0);
    });
    expect(await login(client(), eve)).toBe("200 ok");
  });
});

describeWithRedis("failed logins, while Redis", () => {
  const { start, allowErrors } = createSetup("memory", "request", () => ({ driver: "memory" }));

  test.each(["is down", "hangs"])("rejects logins without a limit: %s", async (what) => {
    allowErrors();
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const storage = { account: { driver: "redis", url: redis.url } };
    const storefront = await start({ ...limited, storage });
    expect(await login(storefront.client(), wrong(ada))).toBe("401 invalid_credentials");
    const user = storefront.client();
    expect(await login(user, ada)).toBe("200 ok");
    await (what === "hangs" ? redis.pause() : redis.stop());
    for (const credentials of [ada, wrong(ada)]) {
      const answer = await storefront.client().call("login", credentials);
      expect(toShort(answer)).toBe("503 storage_unavailable");
      expect(answer.headers.get("retry-after")).toBe("1");
    }
    const passwords = { oldPassword: "right", newPassword: "battery staple" };
    expect(toShort(await user.call("updatePassword", passwords))).toBe("503 storage_unavailable");
    expect(JSON.stringify(storefront.lines)).not.toMatch(/rlflxIncr|login-attempts:account/);
  });
});
