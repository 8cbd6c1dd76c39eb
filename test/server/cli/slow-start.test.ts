import { expect, test } from "vitest";
import { createFolder, plain, shops, spawnCli, until } from "../../_cli.ts";

/** Keeps the process running, as an open connection does. */
const busy = "setInterval(() => {}, 1000);";
const never = "new Promise(() => {})";

const storage = `{
  name: "stuck",
  getItem() {},
  hasItem() {},
  getKeys() {},
  atomic: "process",
  createAdapter: () => ({
    capabilities: { atomic: "process", ttl: "stored" },
    ready: () => ${never},
    ...Object.fromEntries(
      ["read", "swap", "take", "setAside", "ping", "close"].map((name) => [name, async () => {}]),
    ),
  }),
}`;

const waits: readonly (readonly [step: string, config: string])[] = [
  [
    "a promise that the config, or a module that it imports, awaits (SF902)",
    `${busy} await ${never}; ${plain}`,
  ],
  [
    "the promise of server.routes (SF906)",
    `${busy} export default { shops: ${shops}, server: { routes: () => ${never} } };`,
  ],
  [
    'the storage "stuck" to open (SF702)',
    `${busy} export default { shops: ${shops}, storage: { session: ${storage} } };`,
  ],
];

// Together, because each waits for ten seconds. Concurrent tests would end each other's processes.
test("start logs what it waits for: the config, server.routes, or a storage", async () => {
  const starts = waits.map(async ([step, config]) => {
    const folder = await createFolder({ "storefront.config.mjs": config });
    const { result } = spawnCli(["start", "--port", "0"], { folder });
    await until(() => result.stderr.includes("\n"));
    expect(result.stderr).toContain(`warn Still waiting for ${step} seconds=1`);
    expect(result.stdout).toBe("");
  });
  await Promise.all(starts);
});
