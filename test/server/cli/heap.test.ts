import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { createFolder } from "../../_cli.ts";

/** Creates objects that all stay alive, and ends the process: V8 then wants to create the next ones in the old generation. */
const config = `
  const objects = [];
  const create = (id) => ({ id, list: [id, id + 1], name: {} });
  for (let round = 0; round < 10; round++) {
    for (let id = 0; id < 20_000; id++) objects.push(create(id));
    gc({ type: "minor" });
  }
  process.exit(objects.length - 200_000);
`;

test("the objects of calls begin in the young generation, also after many that stayed alive", async () => {
  const folder = await createFolder({ "storefront.config.mjs": config });
  const cli = fileURLToPath(new URL("../../../dist/server/cli/cli.js", import.meta.url));
  // The modules of a start create some hundred objects.
  expect(await findOld(folder, [cli, "start"])).toBe(false);
  expect(await findOld(folder, ["storefront.config.mjs"])).toBe(true);
});

// --- Internal helpers ---

/** Whether V8 decides about a line of code that has created more than 1000 objects in a young generation. */
async function findOld(folder: string, args: readonly string[]): Promise<boolean> {
  const flags = ["--expose-gc", "--trace-pretenuring-statistics"];
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, ...args], {
    cwd: folder,
  });
  const counts = [...stdout.matchAll(/\(created, found, ratio\) \((\d+),/g)];
  return counts.some(([, created]) => Number(created) > 1000);
}
