import { execFile } from "node:child_process";
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { measureBoot } from "../boot.mjs";
import { toCount, toTable } from "../markdown.mjs";
import { isAsked } from "../options.mjs";
import { requirePeer } from "../peers.mjs";
import { median } from "../rounds.mjs";
import { cli, rootFolder } from "../server.mjs";
import { oursWith } from "../targets.mjs";

export const title = "Start and size";

/** What is paid once: until the first answer, for the client in a page, for the packages on a disk. */
export async function measure(options) {
  const rows = [];
  if (isAsked("start", options)) rows.push(await measureColdStart(options));
  if (isAsked("client", options)) rows.push(await measureClient());
  if (isAsked("install", options) && !options.quick) rows.push(await measureInstall());
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

/** For the config that comes with the project, whose memory production refuses. */
const env = {
  NODE_ENV: "development",
  STOREFRONT_SESSION_SECRET: "of no use to anyone but in this measurement",
};

/** In turns, so that a slow moment of the machine is everybody's. */
async function measureColdStart({ quick }) {
  const bare = [];
  const typescript = [];
  const javascript = [];
  for (let round = 0; round < (quick ? 3 : 10); round++) {
    bare.push(await measureBoot(["bare/h3.mjs"]));
    typescript.push(await measureBoot([cli, "start", "--port", "0"], { cwd: rootFolder, env }));
    javascript.push(await measureBoot(oursWith("storefront.config.mjs")));
  }
  const against = (ours) => median(ours.map((own, round) => own / bare[round]));
  const ratio = against(typescript);
  return {
    row: "start",
    ratio,
    figures: [
      ["`storefront start` until its first answer, with a config in TypeScript", tell(typescript)],
      ["the same, with a config in JavaScript", tell(javascript)],
      ["a script with h3 alone", tell(bare)],
      ["against it, in TypeScript", `${ratio.toFixed(2)} ×`],
      ["against it, in JavaScript", `${against(javascript).toFixed(2)} ×`],
    ],
  };
}

function tell(times) {
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

/** Packs and installs as a project would, without what only developers need. */
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
