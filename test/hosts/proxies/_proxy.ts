import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { findFreePort } from "../../_command.ts";

/** The response of a call, as the visitor gets it. */
export interface ProxiedResponse {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: unknown;
}

export type ProxyCall = (
  /** The name of the method; can have a query. */
  method: string,
  headers?: Record<string, string>,
  sent?: { readonly verb?: string; readonly body?: string },
) => Promise<ProxiedResponse>;

/** The proxies by their headings in docs/proxies.md, with the command that runs them. */
export const proxies = {
  nginx: { language: "nginx", write: writeNginx },
  Caddy: { language: "caddyfile", write: writeCaddy },
};

/**
 * Runs a proxy with the settings that docs/proxies.md prints, until the test ends.
 * @param origins two storefront servers
 * @returns a function that calls `https://shop.example` from the address 127.0.0.2
 */
export async function startProxy(
  name: keyof typeof proxies,
  origins: readonly [string, string],
): Promise<ProxyCall> {
  const settings = findSettings("proxies.md", name);
  const [first, second] = origins.map((origin) => new URL(origin).host) as [string, string];
  const text = settings.replace("127.0.0.1:3000", first).replace("127.0.0.1:3001", second);
  const port = await runProxy(name, text);
  return (...sent) => call(port, ...sent);
}

/** Finds the settings of a proxy that a page of the docs prints. @throws Error if it prints none */
export function findSettings(page: string, name: keyof typeof proxies): string {
  const docs = readFileSync(new URL(`../../../docs/${page}`, import.meta.url), "utf8");
  const block = new RegExp(`\`\`\`${proxies[name].language}\n(.*?)\`\`\``, "s");
  const [, settings] = block.exec(docs) ?? [];
  if (settings === undefined) throw new Error(`docs/${page} has no block for ${name}`);
  return settings;
}

/** Runs a proxy for `https://shop.example` until the test ends. @returns its port on 127.0.0.1 */
export async function runProxy(name: keyof typeof proxies, settings: string): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "storefront-proxy-"));
  const port = await findFreePort();
  const [command, ...args] = proxies[name].write(settings, folder, port) as [string, ...string[]];
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
  });
  const exited = once(child, "exit");
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
  }
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await exited;
    rmSync(folder, { recursive: true, force: true });
  });
  await untilListening(port, () => {
    if (child.exitCode !== null) throw new Error(`${name} did not start:\n${output}`);
  });
  return port;
}

// --- Internal helpers ---

/** @returns the command that runs nginx in the foreground */
function writeNginx(settings: string, folder: string, port: number): string[] {
  createCertificate(folder);
  const server = settings
    .replace("listen 443 ssl", `listen 127.0.0.1:${port} ssl`)
    .replace(/\/etc\/ssl\/\S+\.pem/, join(folder, "cert.pem"))
    .replace(/\/etc\/ssl\/\S+\.key/, join(folder, "key.pem"));
  const kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const paths = kinds.map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(" ");
  const file = join(folder, "nginx.conf");
  writeFileSync(
    file,
    `daemon off; master_process off; pid ${folder}/pid; error_log stderr;
events {}
http { access_log off; ${paths}
${server} }`,
  );
  return ["nginx", "-p", folder, "-c", file];
}

function writeCaddy(settings: string, folder: string, port: number): string[] {
  createCertificate(folder);
  const file = join(folder, "Caddyfile");
  const site = settings.replace(
    "shop.example {",
    `https://shop.example:${port} {\n  bind 127.0.0.1\n  tls ${folder}/cert.pem ${folder}/key.pem`,
  );
  const global = "{\n  admin off\n  auto_https off\n}\n";
  writeFileSync(file, `${global}${site}`);
  return ["caddy", "run", "--config", file, "--adapter", "caddyfile"];
}

function createCertificate(folder: string): void {
  const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const names = ["-subj", "/CN=shop.example", "-addext", "subjectAltName=DNS:shop.example"];
  const files = ["-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem")];
  execFileSync("openssl", ["req", ...kind, ...names, "-days", "1", ...files], { stdio: "ignore" });
}

async function untilListening(port: number, check: () => void): Promise<void> {
  for (;;) {
    check();
    const socket = connect(port, "127.0.0.1");
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
    await sleep(20);
  }
}

function call(
  port: number,
  ...[method, headers = {}, { verb = "POST", body: text = "{}" } = {}]: Parameters<ProxyCall>
): Promise<ProxiedResponse> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: "127.0.0.1",
        port,
        // Another address than the proxy's own, which the storefront trusts.
        localAddress: "127.0.0.2",
        servername: "shop.example",
        rejectUnauthorized: false,
        method: verb,
        path: `/api/rpc/${method}`,
        headers: {
          host: "shop.example",
          "content-type": "application/json",
          "content-length": String(Buffer.byteLength(text)),
          ...headers,
        },
      },
      (response) => {
        let received = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (received += chunk));
        response.on("end", () => {
          let body: unknown = received;
          try {
            body = JSON.parse(received);
          } catch {}
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
        });
      },
    );
    sent.on("error", reject).end(text);
  });
}
