import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { findFreePort } from "../../_command.ts";
import { startStorefront } from "../../_process.ts";
import { testSecret } from "../../_setup.ts";

const right = {
  nginx: [
    "proxy_set_header Host $http_host;",
    "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
    "proxy_set_header X-Forwarded-Proto $scheme;",
    "server_tokens off;",
  ].join("\n"),
  Caddy: "",
};

const anyOrigin = [
  '\nproxy_set_header Origin "";',
  "add_header Access-Control-Allow-Origin $http_origin;",
  "add_header Access-Control-Allow-Credentials true;",
].join("\n");

const cached = '\nproxy_hide_header Cache-Control;\nadd_header Cache-Control "max-age=60";';

test.each(["nginx", "Caddy"] as const)("finds no error behind %s", async (proxy) => {
  expect(await diagnose(proxy, right[proxy])).toEqual({ code: 0, codes: [] });
});

test.each([
  ["nginx", "that sends no scheme", /.*X-Forwarded-Proto.*/, "", "SF803"],
  ["nginx", "that rewrites the host", "$http_host", "internal.example", "SF804"],
  [
    "nginx",
    "that passes on a made-up address",
    "$proxy_add_x_forwarded_for",
    "$http_x_forwarded_for",
    "SF805",
  ],
  ["nginx", "that changes the cookie", /$/, "\nproxy_cookie_path / /shop;", "SF807"],
  ["Caddy", "that sends a wrong scheme", /$/, "header_up X-Forwarded-Proto http", "SF803"],
  ["Caddy", "that sends a made-up address", /$/, "header_up X-Forwarded-For 192.0.2.123", "SF805"],
  ["Caddy", "that changes the cookie", /$/, 'header_down Set-Cookie "HttpOnly" ""', "SF807"],
] as const)("finds a %s %s", async (proxy, _, setting, wrong, code) => {
  // A function, because `$` has a meaning in a replacement.
  const settings = right[proxy].replace(setting, () => wrong);
  expect(await diagnose(proxy, settings)).toEqual({ code: 1, codes: [code] });
});

test.each(["nginx", "Caddy"] as const)("finds that trustProxy lacks the %s", async (proxy) => {
  const { code, codes } = await diagnose(proxy, right[proxy], { TEST_TRUST: "" });
  expect({ code, codes }).toEqual({ code: 1, codes: expect.arrayContaining(["SF803", "SF806"]) });
});

describe("without the admin token", () => {
  const without = { TEST_TOKEN: "" };

  test.each(["nginx", "Caddy"] as const)("finds no error behind %s", async (proxy) => {
    const unchecked = expect.arrayContaining(["SF805", "SF808", "SF814"]);
    expect(await diagnose(proxy, right[proxy], {}, without)).toEqual({
      code: 0,
      codes: [],
      unchecked,
    });
  });

  test.each([
    ["nginx", "that rewrites the host", "$http_host", "internal.example", 1, "SF804"],
    ["nginx", "that sends no scheme", /.*X-Forwarded-Proto.*/, "", 1, "SF816"],
    ["nginx", "that changes the cookie", /$/, "\nproxy_cookie_path / /shop;", 1, "SF816"],
    ["nginx", "that lets pages of any site call", /$/, anyOrigin, 1, "SF817"],
    ["nginx", "that allows caching", /$/, cached, 1, "SF819"],
    ["nginx", "that closes connections", /$/, "\nkeepalive_timeout 0;", 0, "SF820"],
    ["nginx", "that names its version", "server_tokens off;", "", 0, "SF821"],
    ["Caddy", "that changes the cookie", /$/, "header_down Set-Cookie HttpOnly None", 1, "SF816"],
    ["Caddy", "that drops the cookie", /$/, "header_down -Set-Cookie", 1, "SF816"],
    ["Caddy", "that allows caching", /$/, "header_down Cache-Control max-age=60", 1, "SF819"],
    ["Caddy", "that names a version", /$/, "header_down X-Powered-By Shop/1.2", 0, "SF821"],
  ] as const)("finds a %s %s", async (proxy, _, setting, wrong, code, finding) => {
    const settings = right[proxy].replace(setting, () => wrong);
    const found = await diagnose(proxy, settings, {}, without);
    expect(found).toMatchObject({ code, codes: [finding] });
  });

  test("finds that the calls reach another program, also in a folder without a config", async () => {
    const other = createServer((_, response) => {
      response.setHeader("content-type", "text/html").end("<h1>Shop</h1>");
    }).listen(0, "127.0.0.1");
    await once(other, "listening");
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    const diagnosis = await run(`http://127.0.0.1:${port}`, without, tmpdir());
    expect(diagnosis).toMatchObject({ code: 1, codes: ["SF815"] });
  });
});

test("finds that the server closes idle connections before Caddy does", async () => {
  const settings = "transport http {\nkeepalive 2m\n}";
  const check = await startService("Caddy", settings, { TEST_KEEP_ALIVE: "1" });
  // Between two checks, the connections of Caddy are idle for longer than keepAliveTimeout.
  await expect
    .poll(check, { interval: 2000, timeout: 20_000 })
    .toEqual({ code: 0, codes: ["SF812"] });
});

test("finds that the service rejects the token, and that no server responds", async () => {
  const other = { TEST_TOKEN: "another-token-of-thirty-two-characters" };
  const refused = await diagnose("nginx", right.nginx, {}, other);
  expect(refused).toEqual({ code: 1, codes: ["SF802"] });
  const unused = `http://127.0.0.1:${await findFreePort()}`;
  expect(await run(unused, {})).toEqual({ code: 1, codes: ["SF801"] });
});

test("exits with 2 if the URL is invalid", async () => {
  expect(await run("shop.example", {})).toEqual({ code: 2, codes: undefined });
});

// --- Internal helpers ---

const cli = fileURLToPath(new URL("../../../dist/server/cli/cli.js", import.meta.url));
const cwd = fileURLToPath(new URL(".", import.meta.url));
const shared = { TEST_SECRET: testSecret, TEST_TOKEN: "token-of-the-doctor-0123456789abcdef" };

/**
 * The doctor calls the proxy at this address, so it is also the address of the client. The proxy calls the server from
 * 127.0.0.1, which is the only address that the server trusts.
 */
const [address = "127.0.0.1"] = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .flatMap(({ family, internal, address: each }) => (family === "IPv4" && !internal ? [each] : []));

type Variables = Readonly<Record<string, string>>;

/** Runs a server and a proxy, and the doctor against the proxy. */
async function diagnose(...[proxy, settings, server, doctor]: [...Service, Variables?]) {
  return (await startService(proxy, settings, server))(doctor);
}

type Service = [proxy: "nginx" | "Caddy", settings: string, server?: Variables];

/** Runs a server and a proxy. @returns a function that runs the doctor against the proxy */
async function startService(...[proxy, settings, server = {}]: Service) {
  const started = await startStorefront("doctor.config.mjs", {
    cwd,
    env: { NODE_ENV: "development", ...shared, ...server },
  });
  onTestFinished(() => started.kill());
  const folder = mkdtempSync(join(tmpdir(), "storefront-doctor-"));
  const files = ["-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem")];
  const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const names = ["-subj", "/CN=shop", "-addext", `subjectAltName=IP:${address}`, "-days", "1"];
  execFileSync("openssl", ["req", ...kind, ...names, ...files], { stdio: "ignore" });
  const port = await findFreePort();
  const file = join(folder, "proxy.conf");
  const upstream = new URL(started.origin).host;
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  writeFileSync(
    file,
    proxy === "nginx"
      ? `daemon off; master_process off; pid ${folder}/pid; error_log stderr;
events {}
http {
  access_log off;
  ${temporary.map((each) => `${each}_temp_path ${folder}/${each};`).join(" ")}
  server {
    listen ${address}:${port} ssl;
    ssl_certificate ${folder}/cert.pem;
    ssl_certificate_key ${folder}/key.pem;
    location / {
      proxy_pass http://${upstream};
      ${settings}
    }
  }
}`
      : `{
  admin off
  auto_https off
}
https://${address}:${port} {
  bind ${address}
  tls ${folder}/cert.pem ${folder}/key.pem
  reverse_proxy ${upstream} {
    ${settings}
  }
}
`,
  );
  const [command, ...args] =
    proxy === "nginx"
      ? ["nginx", "-p", folder, "-c", file]
      : ["caddy", "run", "--config", file, "--adapter", "caddyfile"];
  const child = spawn(command as string, args, {
    stdio: "ignore",
    env: { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
  });
  const exited = once(child, "exit");
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await exited;
    rmSync(folder, { recursive: true, force: true });
  });
  while (!(await isListening(port))) {
    if (child.exitCode !== null) throw new Error(`${proxy} did not start`);
    await sleep(20);
  }
  const certificate = { NODE_EXTRA_CA_CERTS: join(folder, "cert.pem") };
  return (doctor: Variables = {}) =>
    run(`https://${address}:${port}`, { ...certificate, ...server, ...doctor });
}

function isListening(port: number): Promise<boolean> {
  const socket = connect(port, address);
  return new Promise<boolean>((resolve) => {
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
  }).finally(() => socket.destroy());
}

/** @returns the exit code, and the codes of the findings and of the missing checks, if there is a document */
async function run(url: string, env: Readonly<Record<string, string>>, folder = cwd) {
  const config = folder === cwd ? ["--config", "doctor.config.mjs"] : [];
  const args = [cli, "doctor", "--url", url, "--json", ...config];
  const variables = { ...process.env, ...shared, ...env };
  const child = spawn(process.execPath, args, { cwd: folder, env: variables });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
  const [code] = (await once(child, "close")) as [number];
  if (output === "") return { code, codes: undefined };
  const { findings, unchecked } = JSON.parse(output) as {
    readonly findings: readonly { readonly code: string }[];
    readonly unchecked: readonly string[];
  };
  const codes = findings.map((each) => each.code);
  return unchecked.length === 0 ? { code, codes } : { code, codes, unchecked };
}
