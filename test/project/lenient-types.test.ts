import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { root } from "../_cli.ts";

const program = `import { createRpcCaller, createStorefront, defineRpcMethod, defineStorefrontConfig } from "storefront-core";
import type { BuiltinMethods } from "storefront-core";
import { createRpcClient } from "storefront-core/client";

export const methods = {
  find: defineRpcMethod({ handler: (_, { ip }) => ({ ip: ip ?? "none", sizes: [1, 2] }) }),
  load: defineRpcMethod({ access: "public", handler: (_, { cached }) => cached("a", 60, () => ({ n: 1 })) }),
  open: defineRpcMethod({ handler: () => new Response("text") }),
};
const config = defineStorefrontConfig({ shops: [{ shopId: 1, locale: "de-DE", currency: "EUR" }], methods });
type All = BuiltinMethods & typeof methods;
const rpc = createRpcClient<All>({ baseURL: "", shopId: 1 });
const caller = createRpcCaller<All>(createStorefront(config), new Request("http://shop.example"));

export const texts: string[] = [(await rpc.find()).ip, (await rpc.getShopConfiguration()).locale];
export const numbers: number[] = [
  (await caller.find()).sizes[0],
  (await rpc.load()).n,
  (await rpc.getBasket()).basket.itemCount,
  (await caller.addItemToBasket({ variantId: 7, quantity: 1 })).basket.revision,
];
export const response: Response = await rpc.open();
// @ts-expect-error The result has no such field.
export const { other } = await rpc.find();
// @ts-expect-error There is no such method.
await rpc.nothing();
// @ts-expect-error The payload has another type.
await rpc.addItemToBasket({ variantId: 7, quantity: "1" });
`;

test(
  "the client and the caller are typed without TypeScript's strict options, too",
  { timeout: 60_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "storefront-lenient-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await mkdir(join(folder, "node_modules"));
    await symlink(root, join(folder, "node_modules/storefront-core"));
    await writeFile(join(folder, "shop.ts"), program);
    // The file that Next.js writes.
    const compilerOptions = {
      target: "ES2022",
      lib: ["dom", "dom.iterable", "esnext"],
      module: "esnext",
      moduleResolution: "bundler",
      strict: false,
      skipLibCheck: true,
      isolatedModules: true,
      noEmit: true,
      types: [],
    };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions }));
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    expect(compile(tsc, folder)).toBe("");
  },
);

// --- Internal helpers ---

/** @returns the errors */
function compile(tsc: string, cwd: string): string {
  try {
    return execFileSync(process.execPath, [tsc, "-p", "."], { cwd }).toString();
  } catch (error) {
    return String((error as { readonly stdout: Buffer }).stdout);
  }
}
