import { execFile } from "node:child_process";
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { measureColdStart } from "../boot.mjs";
import { toCount, toTable } from "../markdown.mjs";
import { isSelected } from "../options.mjs";
import { requirePeer } from "../peers.mjs";
import { median } from "../rounds.mjs";
import { cli, rootFolder } from "../server.mjs";
import { oursWith } from "../targets.mjs";

export const title = "Start and size";

/** One-time costs: CPU time to the first response, size of the client in a page, size of the install. */
export async function measure(options) {
  const rows = [];
  if (isSelected("start", options)) rows.push(await measureStarts(options));
  if (isSelected("client", options)) rows.push(await measureClient());
  if (isSelected("install", options) && !options.quick) rows.push(await measureInstall());
  return rows;
}

export function toMarkdown(rows) {
  const lines = rows.flatMap(({ row, figures }) =>
    figures.map(([what, figure]) => [`\`${row}\``, what, figure]),
  );
  return toTable([["row", "", ""], ...lines]);
}

// --- Internal helpers ---

const run = promisify(execFile);

/** Development mode, because production rejects the memory storage of the project's own config. */
const env = {
  NODE_ENV: "development",
  STOREFRONT_SESSION_SECRET: "a secret that only this benchmark uses",
};

/** Measures in turns, so that a disturbance of the machine affects all of them. */
async function measureStarts({ quick }) {
  const bare = [];
  const javascript = [];
  const withZod = [];
  const typescript = [];
  for (let round = 0; round < (quick ? 3 : 10); round++) {
    bare.push(await measureColdStart(["bare/h3.mjs"]));
    javascript.push(await measureColdStart(oursWith("plain.config.mjs")));
    withZod.push(await measureColdStart(oursWith("storefront.config.mjs")));
    typescript.push(
      await measureColdStart([cli, "start", "--port", "0"], { cwd: rootFolder, env }),
    );
  }
  // The system counts CPU time in steps of 10 ms, so the sums are more exact than each value.
  const against = (ours) => toTotal(ours) / toTotal(bare);
  const ratio = against(javascript);
  return {
    row: "start",
    ratio,
    figures: [
      ["CPU time of `storefront start` until its first response", toMilliseconds(javascript)],
      ["the same with a config that imports zod", toMilliseconds(withZod)],
      ["the same with a config in TypeScript that imports zod", toMilliseconds(typescript)],
      ["a script with h3 alone", toMilliseconds(bare)],
      ["ratio", `${ratio.toFixed(2)} ×`],
      ["ratio with a config that imports zod", `${against(withZod).toFixed(2)} ×`],
      ["ratio with a config in TypeScript that imports zod", `${against(typescript).toFixed(2)} ×`],
    ],
  };
}

function toTotal(times) {
  return times.reduce((sum, time) => sum + time, 0);
}

function toMilliseconds(times) {
  return `${median(times).toFixed(0)} ms`;
}

async function measureClient() {
  const file = join(rootFolder, "dist/rpc/client.js");
  const { outputFiles } = await requirePeer("esbuild").build({
    entryPoints: [file],
    bundle: true,
    minify: true,
    format: "esm",
    write: false,
  });
  const shipped = gzipSync(await readFile(file)).length;
  const bundled = gzipSync(outputFiles[0].contents).length;
  return {
    row: "client",
    figures: [
      ["`storefront-core/client` as it ships, gzip", `${toCount(shipped)} bytes`],
      ["bundled and minified, gzip", `${toCount(bundled)} bytes`],
    ],
  };
}

/** Packs the project and installs it as a dependency, without development dependencies. */
async function measureInstall() {
  const folder = await mkdtemp(join(tmpdir(), "storefront-install-"));
  try {
    const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
    const [{ filename, size }] = JSON.parse((await run("npm", pack, { cwd: rootFolder })).stdout);
    await writeFile(join(folder, "package.json"), '{ "private": true }');
    const install = ["install", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"];
    await run("npm", [...install, `./${filename}`], { cwd: folder });
    const lock = await readFile(join(folder, "package-lock.json"), "utf8");
    const packages = Object.keys(JSON.parse(lock).packages).length - 1;
    const bytes = await measureFolder(join(folder, "node_modules"));
    return {
      row: "install",
      figures: [
        ["the package, packed", `${toCount(size / 1000)} kB`],
        ["packages of an install", String(packages)],
        ["their files", `${(bytes / 1e6).toFixed(1)} MB`],
      ],
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureFolder(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = files.map(async ({ parentPath, path, name }) => {
    return (await stat(join(parentPath ?? path, name))).size;
  });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
