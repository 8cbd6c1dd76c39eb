import { existsSync } from "node:fs";
import { readdir, readFile, rename, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { openDevStorefront } from "../../../server/dev.ts";
import { createFolder, greeting, plain, root, startCli, until } from "../../_cli.ts";
import { CookieClient } from "../../_cookie-client.ts";

const file = "storefront.config.ts";
const cache = "node_modules/.cache/storefront";
const ada = { email: "ada@example.com", password: "correct horse 9", firstName: "Ada" };

describe("dev keeps sessions, baskets, and accounts", () => {
  test("over a reload, without a log line about it", async () => {
    const { server, client, write } = await startDev({ [file]: greeting("one") });
    await fillBasket(client);
    await write(file, greeting("two"));
    await until(async () => (await tryCall(client, "greet")) === "two");
    await expectAda(client);
    expect(server.stderr).toBe("");
    expect(server.stdout).toContain(`data is in ${cache}/${file}; --fresh starts without it\n`);
    expect(server.stdout).not.toContain("Warnings");
  });

  test("over a restart, also if the config names the driver memory", async () => {
    const config = plain.replace(
      "{ shops",
      '{ storage: { session: { driver: "memory" }, basket: { driver: "memory" } }, shops',
    );
    const first = await startDev({ "conf/my.ts": config }, ["--config", "conf/my.ts"]);
    await fillBasket(first.client);
    await stop(first.server);
    const { client } = await restart(first, ["--config", "conf/my.ts"]);
    await expectAda(client);
    await client.call("logout");
    expect(await client.call("login", { email: ada.email, password: ada.password })).toMatchObject({
      status: 200,
    });
    await expectAda(client);
  });

  test("in files that only this user can read, and not in .env", async () => {
    const { folder, client } = await startDev({ [file]: plain });
    await fillBasket(client);
    const files = await readdir(join(folder, cache), { recursive: true, withFileTypes: true });
    expect(files.filter((entry) => entry.isFile()).length).toBeGreaterThan(3);
    for (const entry of files) {
      const { mode } = await stat(join(entry.parentPath, entry.name));
      expect(mode & 0o077, entry.name).toBe(0);
    }
    expect(existsSync(join(folder, ".env"))).toBe(false);
  });

  test("for each config of a folder on its own", async () => {
    const first = await startDev({ [file]: plain, "b.ts": plain });
    await fillBasket(first.client);
    const { client } = await restart(first, ["--config", "b.ts"]);
    expect(await client.call("getBasket")).toMatchObject({ body: { basket: { itemCount: 0 } } });
  });

  test("also for other development servers", async () => {
    const folder = await createFolder({ [file]: plain });
    const open = async () => {
      const dev = await openDevStorefront(folder);
      const send = async (path: string, init: RequestInit) =>
        dev.current.fetch(new Request(`http://localhost${path}`, init));
      return { dev, send };
    };
    const first = await open();
    const client = new CookieClient(first.send, 1);
    await fillBasket(client);
    await first.dev.close();
    const second = await open();
    const again = new CookieClient(second.send, 1);
    for (const [name, value] of client.cookies) again.cookies.set(name, value);
    await expectAda(again);
    await second.dev.close();
  });
});

describe("dev starts empty", () => {
  test("with --fresh", async () => {
    const first = await startDev({ [file]: plain });
    await fillBasket(first.client);
    await stop(first.server);
    const { client, server } = await restart(first, ["--fresh"]);
    await expectStranger(client);
    expect(server.stderr).toBe("");
  });

  test.each([
    [
      "of another version",
      (text: string) => text.replace(/"version":"[^"]+"/, '"version":"0.0.1"'),
    ],
    ["that are damaged", () => "{"],
  ])("and says so if there are files %s", async (_, change) => {
    const first = await startDev({ [file]: plain });
    await fillBasket(first.client);
    await stop(first.server);
    const path = join(first.folder, cache, file, "state.json");
    await writeFile(path, change(await readFile(path, "utf8")));
    const { client, server } = await restart(first, []);
    await expectStranger(client);
    expect(server.stderr).toMatch(/ warn The development data starts empty.*\n$/);
    expect(server.stderr.trim().split("\n")).toHaveLength(1);
    await fillBasket(client);
  });

  test("and says so if node_modules can't be written", async () => {
    const folder = await createFolder({ [file]: plain });
    await writeFile(join(folder, "node_modules/.cache"), "");
    const server = await startCli(["dev"], { folder });
    expect(server.stderr).toContain(" warn Sessions end with this process, because");
    expect(server.stdout).toContain("memory for sessions, baskets, accounts");
    expect(server.stdout).toContain("(SF101: session.secret)");
  });
});

test("start never reads the development data", async () => {
  const first = await startDev({ [file]: plain });
  await fillBasket(first.client);
  await stop(first.server);
  const server = await startCli(["start"], { folder: first.folder });
  expect(server.stdout).toContain("memory for sessions, baskets, accounts");
  await expectStranger(twin(first.client, server.origin));
});

describe("dev checks the types of the project", () => {
  const wrong = greeting("one").replace('=> "one"', "=> 7");

  test("and prints each type error with its code", { timeout: 60_000 }, async () => {
    const { folder, server, client, write } = await startDev({
      [file]: greeting("one"),
      "tsconfig.json": JSON.stringify({
        compilerOptions: { strict: true, module: "nodenext", skipLibCheck: true, noEmit: true },
        files: [file],
      }),
    });
    expect(server.stderr).toBe("");
    await symlink(join(root, "node_modules/typescript"), join(folder, "node_modules/typescript"));
    await stop(server);
    const again = await restart({ folder, client }, []);
    await write(file, wrong);
    await until(() => again.server.stderr.includes("Type 'number' is not assignable"));
    expect(again.server.stderr).toContain("storefront: the server runs, but types don't match:\n");
    expect(again.server.stderr).toContain(`${file}:4:`);
    expect(again.server.stderr).toContain("handler: (): string => 7");
    expect(await again.client.call("greet")).toMatchObject({ status: 200, body: 7 });
  });
});

vi.setConfig({ testTimeout: 30_000 });

// --- Internal helpers ---

type Server = Awaited<ReturnType<typeof startCli>>;

async function startDev(files: Record<string, string>, args: readonly string[] = []) {
  const folder = await createFolder(files);
  const server = await startCli(["dev", ...args], { folder });
  return {
    folder,
    server,
    client: new CookieClient((path, init) => fetch(`${server.origin}${path}`, init), 1),
    /** Replaces a file as editors do, so that the server never reads half of it. */
    async write(path: string, text: string) {
      await writeFile(join(folder, "new"), text);
      await rename(join(folder, "new"), join(folder, path));
    },
  };
}

/** Starts the server again. Its client has the cookies of the first one. */
async function restart(
  { folder, client }: { readonly folder: string; readonly client: CookieClient },
  args: readonly string[],
) {
  const server = await startCli(["dev", ...args], { folder });
  return { server, client: twin(client, server.origin) };
}

async function stop(server: Server): Promise<void> {
  server.signal("SIGTERM");
  expect(await server.exited).toBe(0);
}

function twin(client: CookieClient, origin: string): CookieClient {
  const copy = new CookieClient((path, init) => fetch(`${origin}${path}`, init), 1);
  for (const [name, value] of client.cookies) copy.cookies.set(name, value);
  return copy;
}

/** A call can fail while the new server replaces the old one. */
async function tryCall(client: CookieClient, method: string): Promise<unknown> {
  return client.call(method).then(
    ({ body }) => body as unknown,
    () => undefined,
  );
}

async function fillBasket(client: CookieClient): Promise<void> {
  const added = await client.call("addItemToBasket", { variantId: 7, quantity: 2 });
  expect(added.status).toBe(200);
  expect(await client.call("register", ada)).toMatchObject({ status: 200 });
}

async function expectAda(client: CookieClient): Promise<void> {
  expect(await client.call("getUser")).toMatchObject({ body: { user: { firstName: "Ada" } } });
  expect(await client.call("getBasket")).toMatchObject({ body: { basket: { itemCount: 2 } } });
}

async function expectStranger(client: CookieClient): Promise<void> {
  expect(await client.call("getUser")).toMatchObject({ status: 200, body: {} });
  expect(await client.call("getBasket")).toMatchObject({ body: { basket: { itemCount: 0 } } });
}
