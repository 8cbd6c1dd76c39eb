import { execFile } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { root } from "../_cli.ts";
import { findFreePort, startCommand } from "../_command.ts";
import { CookieClient } from "../_cookie-client.ts";
import { createProject, readBlocks } from "../_snippets.ts";

test(
  "the server of docs/ssr.md renders the visitor's basket, with the README's config",
  { timeout: 150_000 },
  async () => {
    const folder = await createProject(join(root, "node_modules"), ["@types/node", "zod"]);
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const config = (await readBlocks("README.md")).find(
      ({ file }) => file === "storefront.config.ts",
    );
    const [program] = await readBlocks("docs/ssr.md");
    const port = await findFreePort();
    const listen = `listen(${port}, () => console.log("ready"))`;
    await writeFile(join(folder, "storefront.config.ts"), config?.text ?? "");
    await writeFile(join(folder, "server.ts"), program?.text.replace("listen(3000)", listen) ?? "");
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const compile = [tsc, "-p", ".", "--types", "node"];
    await promisify(execFile)("node", compile, { cwd: folder }).catch(
      ({ stdout }: { readonly stdout: string }) => expect.fail(stdout),
    );

    const options = { cwd: folder, env: {} };
    const server = await startCommand("node out/server.js", options, (text) =>
      text.includes("ready"),
    );
    onTestFinished(() => server.stop());
    const origin = `http://127.0.0.1:${port}`;
    const client = new CookieClient((path, init) => fetch(`${origin}${path}`, init));
    await client.call("addItemToBasket", { variantId: 7, quantity: 2 });
    const response = await fetch(origin, { headers: { cookie: client.cookieHeader } });
    expect(await response.text()).toBe("<p>2 items in the basket</p>");
    expect(response.headers.get("cache-control")).toBe("private, no-store");
  },
);
