/**
 * Prints the size of the source code, and the files and functions that one warm call enters.
 * Run after `npm run build`: node bench/house.mjs [options]
 *   --files   also lists the files and functions that each call enters
 *   --tests   counts every test of an `each` or a shared suite, which takes a minute; the count is static otherwise
 */
import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { serve } from "h3";
import { calls, logInOnce, send } from "./calls.mjs";
import { startCoverage } from "./coverage.mjs";
import { toCount, toTable } from "./markdown.mjs";
import { benchFolder, cli, rootFolder } from "./server.mjs";
import { findCycles, readSources } from "./sources.mjs";

const { values: options } = parseArgs({
  options: { files: { type: "boolean" }, tests: { type: "boolean" } },
});
const sourceFolders = ["server", "rpc", "storage", "adapters", "shared"];
const warmUpCalls = 200;

// First, because the calls set NODE_ENV for this process.
const counts = countSources();
const entered = await measureCalls();
process.stdout.write(`${toTable([["figure", "value"], ...counts, ...entered.map(toRow)])}\n`);
if (options.files) process.stdout.write(entered.map(toFileList).join(""));
process.exit();

// --- Internal helpers ---

function countSources() {
  const sources = readSources(sourceFolders);
  const byLines = sources.toSorted((a, b) => a.lines - b.lines);
  const largest = byLines.at(-1);
  const types = sum(sources, "types");
  const classes = sum(sources, "classes");
  return [
    ["source files", toCount(sources.length)],
    ["source lines (`wc -l`, with blank lines)", toCount(sum(sources, "lines"))],
    ["median lines of a file", toCount(byLines[(sources.length - 1) >> 1].lines)],
    ["largest file", `${largest.lines} (\`${largest.path}\`)`],
    ["interfaces and type aliases", toCount(types)],
    ["classes", toCount(classes)],
    ["declared types (all of these)", toCount(types + classes)],
    ["import cycles at run time", toCycles(findCycles(sources, { withTypes: false }))],
    ["import cycles with `import type`", toCycles(findCycles(sources, { withTypes: true }))],
    countTests(),
  ];
}

function sum(sources, key) {
  return sources.reduce((total, source) => total + source[key], 0);
}

function toCycles(groups) {
  return [groups.length, ...groups].join("; ");
}

function countTests() {
  const args = ["vitest", "list", "--json", ...(options.tests ? [] : ["--static-parse"])];
  const list = execFileSync("npx", args, {
    cwd: rootFolder,
    stdio: "pipe",
    maxBuffer: 2 ** 26,
  });
  const label = options.tests
    ? "each one of `each` and of shared suites"
    : "static, `each` counts once";
  return [`tests (\`vitest list\`; ${label})`, toCount(JSON.parse(list).length)];
}

/** Measures a read and a write on the same modules, served by h3 alone and as `storefront start` does. */
async function measureCalls() {
  process.env.NODE_ENV = "production";
  delete process.env.BENCH_REDIS_URL;
  const coverage = await startCoverage(
    new URL("../dist/", import.meta.url).href,
    sourceFolders.map((folder) => new URL(`../${folder}/`, import.meta.url).href),
  );
  const servers = [
    { server: "h3's `serve`", origin: await serveApp() },
    { server: "`storefront start`", origin: await startCli() },
  ];
  const measured = [];
  for (const { server, origin } of servers) {
    const visitor = await logInOnce(origin, "user-1");
    for (const { method, body } of [calls.read, calls.basket]) {
      const callOnce = async () => {
        await (await send(origin, `/api/rpc/${method}`, body, visitor)).text();
      };
      for (let call = 0; call < warmUpCalls; call++) await callOnce();
      measured.push({ title: `\`${method}\`, ${server}`, ...(await coverage.measure(callOnce)) });
    }
  }
  return measured;
}

async function serveApp() {
  const { createStorefront } = await import("../dist/server/index.js");
  const { default: config } = await import("./storefront.config.mjs");
  const app = createStorefront(config);
  const server = serve(app, { port: 0, hostname: "127.0.0.1", silent: true });
  await server.ready();
  return new URL(server.url).origin;
}

/** Runs the CLI in this process. @returns the origin from its banner, which is not printed */
async function startCli() {
  const { write } = process.stdout;
  let banner = "";
  process.stdout.write = (text) => (banner += text) !== "";
  const config = `${benchFolder}storefront.config.mjs`;
  process.argv = [process.argv[0], cli, "start", "--config", config, "--port", "0"];
  await import(cli);
  process.stdout.write = write;
  return new URL(/listens on (http:\S+)/.exec(banner)[1]).origin;
}

function toRow({ title, files, functionCount, callCount }) {
  return [title, `${files.length} files; ${functionCount} functions; ${callCount} calls`];
}

function toFileList({ title, files }) {
  const lines = files.map(
    ({ file, calls: own }) =>
      `  ${file}: ${own.map(({ name, count }) => (count > 1 ? `${name} ×${count}` : name)).join(", ")}`,
  );
  return `\n${title}\n${lines.join("\n")}\n`;
}
