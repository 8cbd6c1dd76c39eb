// Starts Vendure (http://127.0.0.1:3001), and then the page with its storefront (http://127.0.0.1:5173).
import { spawn } from "node:child_process";

const { VENDURE_PORT = "3001" } = process.env;
const children = [];
let isEnding = false;

function start(file, args, { env = {}, stdout = "inherit" } = {}) {
  const child = spawn(process.execPath, [file, ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", stdout, "inherit"],
  });
  children.push(child);
  child.on("exit", (code) => stop(code ?? 1));
  return child;
}

/** Both programs end together. */
function stop(code) {
  if (isEnding) return;
  isEnding = true;
  process.exitCode = code;
  for (const child of children) child.kill();
}

for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => stop(0));

console.log("Starting Vendure with the products of vendure/products.csv …");
const vendure = start("vendure/server.js", [], {
  env: { PORT: VENDURE_PORT, VENDURE_DISABLE_TELEMETRY: "true" },
  stdout: "pipe",
});
let printed = "";
vendure.stdout.on("data", function startPage(text) {
  process.stdout.write(text);
  printed += text;
  if (!printed.includes("listens on")) return;
  vendure.stdout.off("data", startPage).pipe(process.stdout);
  const env = { VENDURE_URL: `http://127.0.0.1:${VENDURE_PORT}/shop-api` };
  start("node_modules/vite/bin/vite.js", ["serve"], { env });
});
