import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createServer, preview, type InlineConfig } from "vite";
import { expect, onTestFinished, test, vi } from "vitest";
import { storefront } from "../../../adapters/vite.ts";
import { createFolder, greeting, until } from "../../_cli.ts";
import { CookieClient } from "../../_cookie-client.ts";
import { expectVerbs } from "../_verbs.ts";

const page = "<!doctype html><title>A page</title>";

test.each(["vite", "vite preview"] as const)(
  "serves pages and calls on one origin by %s",
  async (command) => {
    const { send } = await open(command);
    expect(await (await send("/", { headers: { accept: "text/html" } })).text()).toContain(
      "A page",
    );
    const client = new CookieClient(send, 1);
    const added = await client.call("addItemToBasket", { variantId: 7, quantity: 2 });
    expect(added.status).toBe(200);
    expect(await client.call("getBasket")).toMatchObject({ body: { basket: { itemCount: 2 } } });
  },
);

test("responds to every path below rpc, and leaves other paths to Vite", async () => {
  const { send } = await open("vite");
  for (const path of ["/api/rpc/unknown", "/nowhere/api/rpc/greet", "/api/rpc"]) {
    const response = await send(path, { method: "POST" });
    expect(response.headers.get("content-type"), path).toBe("application/problem+json");
  }
  expect((await send("/healthz")).status).toBe(200);
  for (const path of ["/api/other", "/api/rpcs", "/rpc/greet"]) {
    const response = await send(path, { headers: { accept: "text/html" } });
    expect(await response.text(), path).toContain("A page");
  }
});

test.each(["vite", "vite preview"] as const)(
  "responds to every HTTP method, and passes on bodies and queries, by %s",
  async (command) => {
    const { send } = await open(command);
    for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]) {
      const { status, headers } = await send("/api/rpc/unknown", { method });
      expect([method, status]).toEqual([method, 404]);
      expect(headers.get("content-type"), method).toBe("application/problem+json");
    }
    await expectVerbs(new CookieClient(send, 1));
    // Vite responds by its option `server.cors`, before any plugin.
    expect((await send("/api/rpc/unknown", { method: "OPTIONS" })).status).toBe(204);
  },
);

test("uses a changed config for the next calls, and keeps the old one if the new one has errors", async () => {
  const { send, folder } = await open("vite");
  const greet = async () => (await new CookieClient(send, 1).call("greet")).body;
  expect(await greet()).toBe("one");
  await writeFile(join(folder, "storefront.config.ts"), greeting("two"));
  await until(async () => (await greet()) === "two");
  const write = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  onTestFinished(() => write.mockRestore());
  await writeFile(join(folder, "storefront.config.ts"), "export default { shops: [] };");
  await until(() =>
    write.mock.calls.join().includes("keeps its old config: The config has an error"),
  );
  expect(await greet()).toBe("two");
  await writeFile(join(folder, "storefront.config.ts"), greeting("three"));
  await until(async () => (await greet()) === "three");
});

test("keeps sessions and baskets over a changed config and a restart", async () => {
  const { send, folder, close } = await open("vite");
  const client = new CookieClient(send, 1);
  await client.call("addItemToBasket", { variantId: 7, quantity: 2 });
  await writeFile(join(folder, "storefront.config.ts"), greeting("two"));
  await until(async () => (await client.call("greet")).body === "two");
  expect(await client.call("getBasket")).toMatchObject({ body: { basket: { itemCount: 2 } } });
  await close();
  const again = new CookieClient((await open("vite", {}, folder)).send, 1);
  for (const [name, value] of client.cookies) again.cookies.set(name, value);
  expect(await again.call("getBasket")).toMatchObject({ body: { basket: { itemCount: 2 } } });
});

test("fails to start with one message without a config", async () => {
  await expect(open("vite", {})).rejects.toThrow(/^No config file in /);
});

// --- Internal helpers ---

async function open(
  command: "vite" | "vite preview",
  files: Record<string, string> = { "storefront.config.ts": greeting("one") },
  known?: string,
) {
  const folder =
    known ?? (await createFolder({ "index.html": page, "dist/index.html": page, ...files }));
  const options: InlineConfig = {
    root: folder,
    configFile: false,
    logLevel: "silent",
    server: { port: 0, host: "127.0.0.1" },
    preview: { port: 0, host: "127.0.0.1" },
    plugins: [storefront()],
  };
  const server = command === "vite" ? await createServer(options) : await preview(options);
  onTestFinished(() => server.close());
  if ("listen" in server) await server.listen();
  const { local } = server.resolvedUrls ?? { local: [] };
  const origin = new URL(local[0] as string).origin;
  return {
    folder,
    close: () => server.close(),
    send: (path: string, init?: RequestInit) => fetch(`${origin}${path}`, init),
  };
}
