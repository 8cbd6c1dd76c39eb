import { Redis } from "ioredis";
import type { Driver } from "unstorage";
import createNullDriver from "unstorage/drivers/null";
import { describe, expect, onTestFinished, test } from "vitest";
import { diagnose } from "../../../server/config/doctor.ts";
import { createFolder, plain, runCli, shops } from "../../_cli.ts";
import { describeWithRedis, startRedis, useRedis } from "../../_redis.ts";
import { sound } from "../../_findings.ts";
import { testSecret } from "../../_setup.ts";

/** The findings except notices. */
async function diagnoseStorage(session: unknown) {
  const findings = await diagnose({ ...sound, storage: { session, singleProcess: true } });
  return findings
    .filter(({ severity }) => severity !== "notice")
    .map(({ code, path, found }) => `${code} ${path}: ${found}`);
}

/** A config's file with some settings. */
function configOf(settings: string): string {
  return `export default { shops: ${shops}, ${settings} };`;
}

describe("diagnose, for a storage", () => {
  test("names the address of a Redis that does not respond, without its password", async () => {
    const url = "redis://ada:hunter2@127.0.0.1:1";
    expect(await diagnoseStorage({ driver: "redis", url })).toEqual([
      "SF701 storage.session: redis, without a response (ECONNREFUSED at 127.0.0.1:1)",
    ]);
  });

  test("reports an error if the driver cannot be opened, without the password in its message", async () => {
    const driver = { name: "redis", getInstance: failToOpen, getItem: () => null };
    expect(await diagnoseStorage(driver)).toEqual([
      "SF702 storage.session: redis: no way to redis://…@redis",
    ]);
    expect(await diagnoseStorage({ driver: "lru-cache", max: -1 })).toContainEqual(
      expect.stringContaining("SF702 storage.session: lru-cache: "),
    );
    expect(await diagnoseStorage(createNullDriver())).toContainEqual(
      expect.stringContaining("SF504"),
    );
  });

  test("reads and writes as calls do, and closes the storage after an error", async () => {
    const told: string[] = [];
    const driver: Driver = {
      name: "custom",
      getKeys: () => [],
      hasItem: () => false,
      setItem: () => {},
      removeItem: () => {},
      getItem(key) {
        told.push(key);
        throw new Error("out of order");
      },
      dispose: () => void told.push("dispose"),
    };
    expect(await diagnoseStorage(driver)).toEqual([
      "SF701 storage.session: custom, without a response",
    ]);
    expect(told).toEqual(["ping", "ping:ping", "dispose"]);
  });

  test("does not open a storage with an invalid config", async () => {
    expect(await diagnoseStorage({ driver: "reddis" })).toEqual([
      'SF001 storage.session.driver: "reddis"',
    ]);
  });

  test("warns of Redis before version 6", async () => {
    expect(await diagnoseStorage(createRedisDouble("redis_version:5.0.14\r\n"))).toEqual([
      "SF704 storage.session: Redis 5",
    ]);
    expect(await diagnoseStorage(createRedisDouble("redis_version:6.2.0\r\n"))).toEqual([]);
  });

  test("does not warn of a Redis that hides its version", async () => {
    expect(await diagnoseStorage(createRedisDouble(new Error("NOPERM")))).toEqual([]);
  });
});

test("diagnose checks a config for production, whatever NODE_ENV is", async () => {
  const storage = { session: { driver: "memory" } };
  expect(await diagnose({ ...sound, storage, session: {} })).toContainEqual(
    expect.objectContaining({ code: "SF101", severity: "error" }),
  );
});

describeWithRedis("a Redis", () => {
  const redis = useRedis();

  test("reports nothing, and leaves no connection open", async () => {
    expect(await diagnoseStorage({ driver: "redis", url: redis().url })).toEqual([]);
    const client = new Redis(redis().url);
    onTestFinished(() => client.disconnect());
    await expect
      .poll(async () =>
        String(await client.client("LIST"))
          .trim()
          .split("\n"),
      )
      .toHaveLength(1);
  });

  test("reports an error if Redis evicts keys", async () => {
    const evicting = await startRedis({ args: ["--maxmemory-policy", "allkeys-lru"] });
    onTestFinished(() => evicting.stop());
    expect(await diagnoseStorage({ driver: "redis", url: evicting.url })).toEqual([
      "SF703 storage.session: allkeys-lru",
    ]);
  });

  test.each([
    ["is full", ["CONFIG", "SET", "maxmemory", "1"], "OOM"],
    ["is a read-only copy", ["REPLICAOF", "127.0.0.1", "1"], "READONLY"],
    ["lets its user run no scripts", ["ACL", "SETUSER", "default", "-@scripting"], "NOPERM"],
  ])(
    "reports an error if Redis %s, although it responds",
    async (_, [command = "", ...args], code) => {
      const full = await startRedis();
      onTestFinished(() => full.stop());
      const client = new Redis(full.url);
      onTestFinished(() => client.disconnect());
      await client.call(command, ...args);
      expect(await diagnoseStorage({ driver: "redis", url: full.url })).toEqual([
        `SF705 storage.session: redis, which rejects writes (${code})`,
      ]);
    },
  );

  test("names the missing password", async () => {
    const guarded = await startRedis();
    onTestFinished(() => guarded.stop());
    const client = new Redis(guarded.url);
    await client.config("SET", "requirepass", "hunter2");
    client.disconnect();
    expect(await diagnoseStorage({ driver: "redis", url: guarded.url })).toEqual([
      `SF701 storage.session: redis, without a response (NOAUTH at ${new URL(guarded.url).host})`,
    ]);
  });
});

describe("storefront doctor", () => {
  test("checks for production, prints each finding, and exits with 1 if there is an error", async () => {
    const folder = await createFolder({ "storefront.config.ts": plain });
    const { code, stdout, stderr } = await runCli(["doctor"], { folder });
    expect([code, stderr]).toEqual([1, ""]);
    expect(stdout.replace(folder, "")).toMatchInlineSnapshot(`
      "/storefront.config.ts, checked by the rules for production; docs/doctor.md explains each code

      SF101 error session.secret
        found nothing, expected a secret of 32 characters or more, because the server has no default
        session.secret is not set: the server signs with a random secret, so sessions end with this process

      SF510 error storage.session
        found "memory", expected { driver: "redis", url }, or storage.singleProcess: true if there is one process only
        the storage is atomic within one process only: with a second process, writes are lost and ended sessions come back

      SF513 error storage.account
        found "memory", expected a driver that keeps documents, for example { driver: "fs", base }; or your own auth
        accounts in memory are lost when the process ends

      SF501 warning storage.session
        found "memory", expected { driver: "redis", url }
        the memory driver is for development: its data is lost when this process ends, and no other process sees it

      SF602 notice trustProxy
        found false, expected the addresses of your proxies, if you have any
        behind a proxy that terminates TLS, the cookie lacks Secure and all visitors share one IP address

      SF610 notice clientAddress
        found nothing, expected a function, if such a server mounts the storefront
        mounted in a server that gives no address of clients, the limit loginAttempts.perAddress is off

      SF606 notice admin.token
        found nothing, expected a token of 32 characters or more, if you want the admin API
        you can't end a user's sessions from outside, because the admin API is off

      3 errors, 1 warning, 3 notices
      "
    `);
  });

  test("exits with 0 without errors, even if a timer keeps the process alive", async () => {
    const settings = [
      `session: { secret: ${JSON.stringify(testSecret)} }`,
      `storage: { account: { driver: "fs", base: "./accounts" }, singleProcess: true }`,
    ];
    const text = configOf(settings.join());
    const folder = await createFolder({ "my.config.ts": `setInterval(() => {}, 1000);\n${text}` });
    const { code, stdout, stderr } = await runCli(["doctor", "--config", "my.config.ts"], {
      folder,
    });
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("SF501 warning storage.session\n");
    expect(stdout).toMatch(/\n0 errors, 1 warning, 5 notices\n$/);
    expect(stdout).not.toContain(testSecret);
  });

  test("prints errors of keys, rules, and storages together", async () => {
    const settings = `basePath: "api", storage: { session: { driver: "redis", url: "redis://:hunter2@127.0.0.1:1" } }`;
    const folder = await createFolder({ "storefront.config.ts": configOf(settings) });
    const { code, stdout } = await runCli(["doctor"], { folder });
    expect(code).toBe(1);
    expect(stdout.match(/^SF\d+ error .*$/gm)).toEqual([
      "SF001 error basePath",
      "SF101 error session.secret",
      "SF701 error storage.session",
    ]);
    expect(stdout).not.toContain("hunter2");
  });

  test("detects other processes by the .env file", async () => {
    const folder = await createFolder({
      "storefront.config.ts": plain,
      ".env": "WEB_CONCURRENCY=4",
    });
    expect((await runCli(["doctor"], { folder })).stdout).toContain(
      "SF502 warning storage.session",
    );
  });

  test.each([
    ["a config that is not there", ["doctor", "--config", "none.ts"], /^storefront: No file /],
    ["a word too many", ["doctor", "now"], /^storefront: Unknown command "doctor now" \(SF907\)\n/],
  ])("prints one message for %s", async (_, args, message) => {
    const { code, stderr } = await runCli(args);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });
});

function failToOpen(): never {
  throw new Error("no way to redis://me:hunter2@redis\nat a line");
}

/** A driver like that of Redis, with the given INFO. */
const accept = async () => [1];

function createRedisDouble(info: string | Error): Driver {
  const answer = async () => {
    if (info instanceof Error) throw info;
    return info;
  };
  const client = { on: () => {}, evalsha: accept, info: answer, config: answer };
  const driver = { name: "redis", options: {}, getInstance: () => client };
  return { ...driver, getItem: () => null, getKeys: () => [], hasItem: () => false } as Driver;
}
