import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createFolder, root, shops, startCli } from "../_cli.ts";
import { findFreePort } from "../_command.ts";
import { CookieClient } from "../_cookie-client.ts";
import { parseMetrics } from "../_metrics.ts";

const dashboard = JSON.parse(await readFile(join(root, "docs/grafana-dashboard.json"), "utf8"));
const alertsFile = join(root, "docs/prometheus-alerts.yaml");

const config = (port: number) => `import { defineRpcMethod, RpcError } from "storefront-core";
import { prometheus } from "storefront-core/prometheus";
export default {
  shops: ${shops},
  telemetry: [prometheus({ port: ${port} })],
  server: { drainTimeout: 1 },
  methods: {
    fail: defineRpcMethod({ handler() { throw new RpcError("storage_unavailable"); } }),
    price: defineRpcMethod({ access: "public", handler: (_, { cached }) => cached("price", 60, () => 7) }),
  },
};`;

/** An email address and two passwords, which no metric may show. */
const secrets = ["ada@shop.example", "Gb7-lantern-orchid", "Kx4-harvest-violin"] as const;

/** Asks Prometheus. */
async function ask(
  origin: string,
  path: string,
): Promise<{ readonly status: string; readonly data: never }> {
  const response = await fetch(`${origin}/api/v1/${path}`);
  return (await response.json()) as { status: string; data: never };
}

function query(origin: string, text: string) {
  return ask(origin, `query?query=${encodeURIComponent(text)}`);
}

/** The metrics of a server after some calls, and a Prometheus that has scraped them several times. */
async function start() {
  const port = await findFreePort();
  const folder = await createFolder({ "storefront.config.mjs": config(port) });
  const server = await startCli(["start"], { folder });
  const client = new CookieClient((path, init) => fetch(`${server.origin}${path}`, init), 1);
  await client.call("addItemToBasket", { variantId: 1, quantity: 1 });
  const [email, oldPassword, newPassword] = secrets;
  await client.call("register", { email, password: oldPassword });
  const cookies = [...client.cookies.values()];
  await client.call("updatePassword", { oldPassword, newPassword });
  for (const method of ["getUser", "price", "price", "fail", "logoutEverywhere"]) {
    await client.call(method);
  }
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const origin = await startPrometheus(port);
  // A rate needs two scrapes.
  const scraped = "count_over_time(storefront_calls_total[1m]) >= 3";
  const read = async () => JSON.stringify(await query(origin, scraped));
  await expect.poll(read, { timeout: 60_000 }).toContain('"getUser"');
  return { metrics, origin, cookies };
}

async function startPrometheus(port: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "storefront-ops-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const own = await findFreePort();
  const origin = `http://127.0.0.1:${own}`;
  const file = join(folder, "prometheus.yaml");
  await writeFile(
    file,
    `global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [${JSON.stringify(alertsFile)}]
scrape_configs:
  - { job_name: storefront, static_configs: [{ targets: ["127.0.0.1:${port}"] }] }
`,
  );
  const args = [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder, "data")}`,
    `--web.listen-address=127.0.0.1:${own}`,
  ];
  const child = spawn("prometheus", args, { stdio: "ignore" });
  const exited = once(child, "exit");
  onTestFinished(async () => {
    child.kill("SIGTERM");
    await exited;
  });
  const isReady = () =>
    fetch(`${origin}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  await expect.poll(isReady, { timeout: 60_000 }).toBe(true);
  return origin;
}

/** The state of each rule: `ok`, or its error. */
async function readHealth(origin: string): Promise<readonly string[]> {
  const { data } = await ask(origin, "rules");
  const { groups } = data as { groups: { rules: { health: string; lastError?: string }[] }[] };
  return groups.flatMap(({ rules }) => rules.map(({ health, lastError }) => lastError ?? health));
}

test("the alert rules are valid", () => {
  const check = spawnSync("promtool", ["check", "rules", alertsFile], { encoding: "utf8" });
  expect([check.status, check.stderr]).toEqual([0, ""]);
});

test("the queries of the dashboard and the alert rules work with a real scrape", async () => {
  const { metrics, origin, cookies } = await start();
  expect(cookies).toHaveLength(1);
  for (const secret of [...secrets, ...cookies, ...cookies.map((cookie) => cookie.split(".")[0])]) {
    expect(metrics).not.toContain(secret);
  }
  const names = new Set(parseMetrics(metrics).map(({ name }) => name));
  // A metric without an event has a type, and no value.
  for (const [, name, type] of metrics.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    names.add(type === "histogram" ? `${name}_bucket` : (name as string));
  }
  const texts = [JSON.stringify(dashboard), await readFile(alertsFile, "utf8")].join("\n");
  const used = new Set(texts.match(/\b(?:storefront|nodejs|process)_[a-z0-9_]+\b/g));
  expect(used.size).toBeGreaterThan(15);
  expect([...used].filter((name) => !names.has(name))).toEqual([]);
  await expect.poll(() => readHealth(origin), { timeout: 60_000 }).toEqual(Array(12).fill("ok"));
  // No other server has ended sessions, so no revocation was heard.
  for (const { title, targets } of dashboard.panels) {
    for (const { expr } of targets) {
      const { status, data } = await query(origin, expr.replaceAll("$__rate_interval", "1m"));
      expect(status, `${title}: ${expr}`).toBe("success");
      const { result } = data as { result: unknown[] };
      expect(result.length, `${title}: ${expr}`).toBeGreaterThan(0);
    }
  }
}, 180_000);
