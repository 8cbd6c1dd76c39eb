import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { createFolder, root, shops } from "../../_cli.ts";

const files = {
  "storefront.config.mjs": `import { defineRpcMethod, defineStorefrontConfig } from "storefront-core";
const refuse = () => Promise.reject(new Error("not in this test"));
export default defineStorefrontConfig({
  shops: ${shops},
  session: { secret: "k3J9vQz7Lx2Wp8Rt5Yn1Bc6Md4Fg0Hs_aZ-eUi" },
  storage: { session: { driver: "memory" }, singleProcess: true },
  auth: { login: refuse, register: refuse, changePassword: refuse },
  methods: { greet: defineRpcMethod({ handler: () => "Hello" }) },
});`,
  "h3.mjs": `import { H3, serve } from ${JSON.stringify(pathToFileURL(join(root, "node_modules/h3/dist/_entries/node.mjs")).href)};
const app = new H3().post("/api/rpc/greet", () => ({ greeting: "Hello" }));
const server = serve(app, { port: 0, hostname: "127.0.0.1", silent: true });
await server.ready();
console.log("listens on " + server.url);`,
  "cpu.cjs": `process.on("SIGUSR2", () => {
  const { user, system } = process.cpuUsage();
  console.log("used " + (user + system));
});`,
};

test("a start with a config in JavaScript takes less than twice the CPU time of a script with h3 alone", async () => {
  const folder = await createFolder(files);
  const bare: number[] = [];
  const own: number[] = [];
  // In turns, so that a disturbance of the machine affects both.
  const ratioOf = () => Math.min(...own) / Math.min(...bare);
  // More rounds on a busy machine: they lower both figures to the true ones.
  for (let round = 0; round < 9 || (round < 36 && ratioOf() >= 2); round++) {
    bare.push(await measureStart(folder, ["h3.mjs"]));
    own.push(await measureStart(folder, [cli, "start", "--port", "0"]));
  }
  const figures = `${toText(own)}, h3 alone ${toText(bare)}`;
  const ratio = ratioOf();
  console.info(`A cold start: ${ratio.toFixed(2)} times h3 alone (${figures})`);
  expect(ratio, figures).toBeLessThan(2);
});

// --- Internal helpers ---

const cli = join(root, "dist/server/cli/cli.js");

/** @returns the microseconds of CPU time that a server uses until its first response, with the start of its process */
async function measureStart(cwd: string, args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, ["--require", "./cpu.cjs", ...args], {
    cwd,
    env: { ...process.env, NODE_ENV: "production" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const used = /^used (\d+)$/.exec(line)?.[1];
      if (used !== undefined) return Number(used);
      const origin = /listens on (http:\/\/[\w.:]+)/.exec(line)?.[1];
      if (origin === undefined) continue;
      const response = await fetch(`${origin}/api/rpc/greet`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-shop-id": "1" },
        body: "{}",
      });
      expect(response.status).toBe(200);
      await response.text();
      child.kill("SIGUSR2");
    }
    throw new Error(`${args.join(" ")} did not start`);
  } finally {
    child.kill("SIGKILL");
    await exited;
  }
}

function toText(times: readonly number[]): string {
  return `${(Math.min(...times) / 1000).toFixed(0)} ms`;
}
