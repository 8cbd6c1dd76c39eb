import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { createFolder, plain, root, runCli, shops, startCli, until, waiting } from "../../_cli.ts";

const hasIPv6 = Object.values(networkInterfaces())
  .flat()
  .some((found) => found?.family === "IPv6");

describe("without a server", () => {
  test.each(["--help", "-h", "start --help"])("%s prints the usage", async (args) => {
    const { code, stdout, stderr } = await runCli(args.split(" "));
    expect([code, stderr]).toEqual([0, ""]);
    const commands = ["start", "dev", "doctor", "explain", "init"];
    const flags = [
      "config",
      "shop",
      "port",
      "host",
      "workers",
      "url",
      "json",
      "fresh",
      "help",
      "version",
    ];
    for (const word of [...commands, ...flags.map((flag) => `--${flag}`)]) {
      expect(stdout).toContain(`\n  ${word} `);
    }
  });

  test("--version prints the package's version", async () => {
    const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
    expect(await runCli(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });
});

describe("a mistake prints one message without a stack, and exits with code 1", () => {
  const usage = expect.stringMatching(/^Unknown command .*SF907\)\n\nUsage: storefront <command> /);

  test.each<[about: string, args: string, files: Record<string, string>, stderr: unknown]>([
    ["no command", "", {}, expect.stringMatching(/^a command is missing \(SF907\)\n\nUsage: /)],
    ["a bad command", "serve", {}, usage],
    ["a misspelled command", "strat", {}, expect.stringContaining("Did you mean start?")],
    ["two commands", "start dev", {}, usage],
    [
      "a bad flag",
      "start --prot 1",
      {},
      is("Unknown option '--prot' \\(SF907\\)\nSee storefront --help"),
    ],
    [
      "a flag without its value",
      "start --config",
      {},
      expect.stringContaining("'--config <value>'"),
    ],
    [
      "a foreign flag",
      "start --json",
      {},
      "--json: expected the command doctor or explain, found start (SF907)",
    ],
    [
      "a flag of dev",
      "start --fresh",
      {},
      "--fresh: expected the command dev, found start (SF907)",
    ],
    ["a bad port", "start --port 80a", {}, is('--port: found "80a", expected a number .*')],
    [
      "a port too high",
      "start --port 65536",
      {},
      is('--port: found "65536", expected a number .*'),
    ],
    ["a port below", "start --port=-1", {}, is('--port: found "-1", expected a number .*')],
    [
      "a bad host",
      "start --host 192.0.2.1",
      { "storefront.config.ts": plain },
      is('--host: "192.0.2.1" isn\'t an address of this machine \\(SF905\\)'),
    ],
    ["no config", "start", {}, is("No config file in <folder>. Create storefront.config.ts.*901.")],
    ["no such file", "start --config a.ts", {}, "No file <folder>/a.ts. Check --config (SF901)"],
    ["a folder", "start --config a", { "a/b": "" }, "No file <folder>/a. Check --config (SF901)"],
    [
      "a syntax error",
      "start --config a.ts",
      { "a.ts": "\nexport default {{" },
      is("<folder>/a.ts: .*Unexpected token.*, line 2, column 16 \\(SF902\\)"),
    ],
    [
      "a syntax error in JSON",
      "start --config a.json",
      { "a.json": '{"session": {"secret": hunter2' },
      "<folder>/a.json: it is not valid JSON, line 1, column 24 (SF902)",
    ],
    [
      "a config that throws",
      "start --config a.ts",
      { "a.ts": '\nthrow new Error("boom")' },
      "<folder>/a.ts: boom, line 2 (SF902)",
    ],
    [
      "a config that throws no error",
      "start --config a.mjs",
      { "a.mjs": 'throw "boom"' },
      "<folder>/a.mjs: boom (SF902)",
    ],
    [
      "a config that throws what cannot be read",
      "start --config a.mjs",
      { "a.mjs": "const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); throw proxy;" },
      "<folder>/a.mjs: a value was thrown that cannot be read (SF902)",
    ],
    [
      "a missing package",
      "start --config a.ts",
      { "a.ts": `import "no-such"; ${plain}` },
      "<folder>/a.ts: Cannot find module 'no-such' (SF902)",
    ],
    [
      "one that is missing elsewhere",
      "start --config a.ts",
      { "a.ts": `import "./b.ts"; ${plain}`, "b.ts": 'import "no-such";' },
      "<folder>/a.ts: Cannot find module 'no-such', imported by <folder>/b.ts (SF902)",
    ],
    [
      "a missing module",
      "start --config a.mjs",
      { "a.mjs": `import "./b.mjs"; ${plain}` },
      "<folder>/a.mjs: Cannot find module './b.mjs' (SF902)",
    ],
    [
      "no export",
      "start --config a.ts",
      { "a.ts": "export const shops = [];" },
      is("<folder>/a.ts: no default export. Expected the config, .*"),
    ],
    [
      "an export of nothing",
      "start --config a.json",
      { "a.json": "null" },
      is("The config has an error:\n  the config: found null, expected an object \\(SF001\\)"),
    ],
    [
      "faults",
      "start --config a.ts",
      { "a.ts": "export default { shops: [], basePath: 7 };" },
      is("The config has 2 errors:\n  shops: .*\n  basePath: found 7, .*"),
    ],
    [
      "faults for dev",
      "dev --config a.ts",
      { "a.ts": "export default { shops: [] };" },
      is("The config has an error:\n  shops: .*"),
    ],
    [
      "a driver that a config can't name",
      "start --config a.ts",
      {
        "a.ts": `export default { shops: ${shops}, storage: { session: { driver: "mongodb" } } };`,
      },
      expect.stringContaining('import mongodb from "unstorage/drivers/mongodb", and pass mongodb('),
    ],
    [
      "a driver's missing option",
      "start --config a.ts",
      { "a.ts": `export default { shops: ${shops}, storage: { session: { driver: "fs" } } };` },
      expect.stringMatching(/`base`.* \(SF702\)$/),
    ],
  ])("%s", async (_, args, files, expected) => {
    const folder = await createFolder(files);
    const { code, stdout, stderr } = await runCli(args === "" ? [] : args.split(" "), { folder });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^storefront: [^]*\n$/);
    expect(stderr).not.toMatch(/\n\s+at |node:internal|hunter2/);
    expect(stderr.slice(12, -1).replaceAll(folder, "<folder>")).toEqual(expected);
  });

  test("a bad port in the environment", async () => {
    const folder = await createFolder({ "storefront.config.ts": plain });
    const { code, stderr } = await runCli(["start"], { folder, env: { PORT: "http" } });
    const expected = 'the variable PORT: found "http", expected a number from 0 to 65535 (SF907)';
    expect([code, stderr]).toEqual([1, `storefront: ${expected}\n`]);
  });

  test.each(["start", "dev"])("a port in use: %s", async (command) => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    const folder = await createFolder({ "storefront.config.ts": plain });
    const { code, stdout, stderr } = await runCli([command, "--port", `${port}`], { folder });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toBe(
      `storefront: Port ${port} is already in use. Stop the other process, or choose another port with --port (SF903)\n`,
    );
  });
});

describe("startup", () => {
  test("prints shops, storages, and warnings, and nothing else", async () => {
    const folder = await createFolder({ "storefront.config.ts": plain });
    const server = await startCli(["start"], { folder });
    expect(server.stderr).toBe("");
    expect(server.stdout.replaceAll(server.origin, "<origin>")).toMatchInlineSnapshot(`
      "Storefront Core listens on <origin>

      Shops
        1  de-DE EUR  <origin>/api/rpc/<method>
        (or any of them at <origin>/api/rpc/<method> with the header x-shop-id)

      Development page
        <origin>/_storefront

      Storage
        memory for sessions, baskets, accounts: atomic within this process, expiry by a sweep of this process

      Warnings
        session.secret is not set: the server signs with a random secret, so sessions end with this process (SF101: session.secret)
        the memory driver is for development: its data is lost when this process ends, and no other process sees it (SF501: storage.session)
      "
    `);
  });

  test.each(["127.0.0.1", "localhost", "0.0.0.0", ...(hasIPv6 ? ["::", "::1"] : [])])(
    "prints a working URL on %s",
    async (host) => {
      const folder = await createFolder({ "storefront.config.ts": plain });
      const server = await startCli(["start", "--host", host], { folder });
      const url = / 1 {2}de-DE EUR {2}(\S+)/.exec(server.stdout)?.[1] ?? "";
      const response = await fetch(url.replace("<method>", "getShopConfiguration"));
      expect([response.status, (await response.json()) as unknown]).toMatchObject([200, {}]);
    },
  );
});

describe("shutdown", () => {
  test.each(["SIGTERM", "SIGINT"] as const)("waits for calls in progress: %s", async (signal) => {
    const patient = waiting.replace("export default {", "$& server: { drainTimeout: 600 },");
    const folder = await createFolder({ "storefront.config.ts": patient });
    const server = await startCli(["start"], { folder });
    const call = server.call("wait");
    await until(() => existsSync(join(folder, "running")));
    server.signal(signal);
    await untilClosed(server);
    await writeFile(join(folder, "go"), "");
    expect(await call).toEqual([200, "waited"]);
    // Connections that are kept alive do not keep it: it would wait for `drainTimeout`.
    expect(await server.exited).toBe(0);
    expect(server.stderr).toBe("");
  });

  test("completes while Redis is down", async () => {
    const storage = 'storage: { session: { driver: "redis", url: "redis://127.0.0.1:1" } }';
    const folder = await createFolder({
      "storefront.config.ts": plain.replace("{ shops", `{ ${storage}, shops`),
    });
    const server = await startCli(["start"], { folder });
    expect(server.stdout).toContain("redis for sessions, baskets, accounts: atomic across all");
    expect((await fetch(`${server.origin}/readyz`)).ok).toBe(false);
    server.signal("SIGTERM");
    expect(await server.exited).toBe(0);
  });

  test("stops waiting at the second signal", async () => {
    const folder = await createFolder({ "storefront.config.ts": waiting });
    const server = await startCli(["start"], { folder });
    const call = server.call("wait").catch(() => "cut off");
    await until(() => existsSync(join(folder, "running")));
    server.signal("SIGTERM");
    await untilClosed(server);
    server.signal("SIGTERM");
    expect(await server.exited).toBe(1);
    expect(await call).toBe("cut off");
  });
});

/** A whole text. */
function is(text: string): unknown {
  return expect.stringMatching(new RegExp(`^${text}$`));
}

/** Waits until a server takes no more connections. */
function untilClosed({ origin }: { readonly origin: string }): Promise<void> {
  return until(() =>
    fetch(`${origin}/healthz`).then(
      () => false,
      () => true,
    ),
  );
}
