import { existsSync } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { describe, expect, test } from "vitest";
import {
  createFolder,
  greeting,
  json,
  plain,
  shops,
  startCli,
  until,
  waiting,
} from "../../_cli.ts";
import { isListening } from "../../_socket.ts";

const file = "storefront.config.ts";
const shop = { shopId: 1, locale: "de-DE", currency: "EUR" };

describe("dev", () => {
  test.each([file, "storefront.config.mjs", "conf/my.ts"])("serves a changed %s", async (path) => {
    const args = path.startsWith("conf") ? ["--config", path] : [];
    const { server, write } = await startDev({ [path]: untyped("one") }, args);
    expect(await server.call("greet")).toEqual([200, "one"]);
    const started = server.stdout;
    for (const next of ["two", "three"]) {
      await write(path, untyped(next));
      await untilGreeted(server, next);
    }
    const reloads = () => server.stdout.slice(started.length).split("\n").slice(0, -1);
    await until(() => reloads().length >= 2);
    expect(new Set(reloads())).toEqual(new Set([`reloaded: ${basename(path)}`]));
    expect(server.stderr).toBe("");
  });

  test("serves a changed JSON file", async () => {
    const { server, write } = await startDev({ "storefront.config.json": json });
    await write("storefront.config.json", json.replace("de-DE", "fr-FR"));
    await untilAnswered(server, "getShopConfiguration", { ...shop, locale: "fr-FR" });
  });

  test("prints the errors of a changed config, and continues with the old one", async () => {
    const { server, write } = await startDev({ [file]: greeting("one") });
    const bad = [
      ["export default { shops: [] };", "The config has an error:\n  shops: found a list of 0"],
      ["export default {{", "Unexpected token"],
      ['throw new Error("boom")', ": boom"],
      [
        plain.replace("{ shops", '{ storage: { session: { driver: "mongodb" } }, shops'),
        'from "unstorage/drivers/mongodb"',
      ],
    ] as const;
    for (const [text, message] of bad) {
      await write(file, text);
      await until(() => server.stderr.includes(message));
      expect(await server.call("greet")).toEqual([200, "one"]);
    }
    expect(server.stderr).not.toMatch(/\n\s+at /);
    expect(
      server.stderr.match(/^(?!storefront: | {2}(?:shops|storage\.session\.driver): ).+/gm),
    ).toBeNull();
    await write(file, greeting("two"));
    await untilGreeted(server, "two");
  });

  test("serves the old config until the routes of a changed one exist", async () => {
    const { folder, server, write } = await startDev({ [file]: greeting("one") });
    await write(file, slowRoutes);
    await until(() => existsSync(join(folder, "running")));
    // While the function runs, and after its rejection.
    expect(await server.call("greet")).toEqual([200, "one"]);
    await write("go", "");
    await until(() => server.stderr.includes("server.routes: no feed (SF906)"));
    expect(await server.call("greet")).toEqual([200, "one"]);
    await write(file, greeting("two"));
    await untilGreeted(server, "two");
  });

  test("survives the deletion and replacement of the file", async () => {
    const { folder, server, write } = await startDev({ [file]: greeting("one") });
    await rm(join(folder, file));
    await until(() => server.stderr.includes("No file "));
    expect(await server.call("greet")).toEqual([200, "one"]);
    await write(file, greeting("two"));
    await untilGreeted(server, "two");
    await write("new.ts", greeting("three"));
    await rename(join(folder, "new.ts"), join(folder, file));
    await untilGreeted(server, "three");
  });

  test("serves a changed module and a changed .env file", async () => {
    const handler = '`${greet} ${process.env["NAME"]}`';
    const { server, write } = await startDev({
      [file]: `import { greet } from "./lib/a.js";\n${greeting("").replace('=> ""', `=> ${handler}`)}`,
      "lib/a.ts": 'export { greet } from "./b.ts";',
      "lib/b.ts": 'export const greet = "one";',
      ".env": "NAME=A",
    });
    expect(await server.call("greet")).toEqual([200, "one A"]);
    await write("lib/b.ts", 'export const greet = "two";');
    await untilGreeted(server, "two A");
    await write(".env", "NAME=B");
    await untilGreeted(server, "two B");
    expect(server.stderr).toBe("");
  });

  test("finishes calls in progress with their original config", async () => {
    const { folder, server, write } = await startDev({ [file]: waiting });
    const call = server.call("wait");
    await until(() => existsSync(join(folder, "running")));
    await write(file, greeting("two"));
    await untilGreeted(server, "two");
    await write("go", "");
    expect(await call).toEqual([200, "waited"]);
    server.signal("SIGTERM");
    expect(await server.exited).toBe(0);
  });

  test("exits only after the calls of earlier configs", async () => {
    const { folder, server, write } = await startDev({ [file]: waiting });
    const call = server.call("wait");
    await until(() => existsSync(join(folder, "running")));
    for (const text of ["two", "three"]) {
      await write(file, greeting(text));
      await untilGreeted(server, text);
    }
    server.signal("SIGTERM");
    await until(async () => !(await isListening(server.origin)));
    await write("go", "");
    expect(await call).toEqual([200, "waited"]);
    expect(await server.exited).toBe(0);
  });
});

type Callable = Awaited<ReturnType<typeof startCli>>;

/** Its routes write a file when their function starts. They are rejected when a file `go` exists. */
const slowRoutes = `import { existsSync, writeFileSync } from "node:fs";
export default {
  shops: ${shops},
  server: {
    async routes() {
      writeFileSync("running", "");
      while (!existsSync("go")) await new Promise((resolve) => setTimeout(resolve, 5));
      throw new Error("no feed");
    },
  },
};`;

/** Runs without TypeScript, too. */
function untyped(greet: string): string {
  return greeting(greet).replace(": string", "");
}

/** A server for development that greets with `one`. */
async function startDev(files: Record<string, string>, args: readonly string[] = []) {
  const folder = await createFolder(files);
  const server = await startCli(["dev", ...args], { folder });
  return {
    folder,
    server,
    write: (path: string, text: string) => writeFile(join(folder, path), text),
  };
}

/** Waits for the response of a changed config. A call can fail while the new server replaces the old one. */
function untilAnswered(server: Callable, method: string, answer: unknown): Promise<void> {
  return until(async () => {
    const [, body] = await server.call(method).catch(() => []);
    return isDeepStrictEqual(body, answer);
  });
}

function untilGreeted(server: Callable, text: string): Promise<void> {
  return untilAnswered(server, "greet", text);
}
