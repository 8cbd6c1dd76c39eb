import { measureKind } from "../kind.mjs";
import { toCallsTable, toTable } from "../markdown.mjs";
import { isSelected } from "../options.mjs";
import { references, targets } from "../targets.mjs";

export const title = "Peers";

/** The same calls on all targets: peers with the settings of their READMEs, and with the least work. */
export async function measure(options) {
  const rows = [];
  for (const kind of ["read", "write", "basket", "guest"]) {
    const entries = Object.keys(targets)
      .filter((name) => !references.includes(name))
      .filter((name) => targets[name].kinds?.includes(kind) ?? true)
      .filter((name) => !options.quick || isQuick(kind, name))
      .map((name) => ({ row: `${kind}/${name}`, name }))
      .filter(({ row }) => isSelected(row, options));
    if (entries.length > 0) rows.push(...(await measureKind(kind, entries, options)));
  }
  return rows;
}

export function toMarkdown(rows) {
  const kinds = [...new Set(rows.map(({ row }) => row.split("/")[0]))];
  const tables = kinds.map((kind) => {
    const ofKind = rows.filter(({ row }) => row.startsWith(`${kind}/`));
    const heading = `### ${kind[0].toUpperCase()}${kind.slice(1)}`;
    return [heading, toCallsTable(ofKind), toDuels(ofKind)].filter(Boolean).join("\n\n");
  });
  return `With batching, a server delays each response until the event loop has read everything that arrived; \`storefront start\` does
this. The h3 app is the same server in a process of your own: without batching, and with h3's router. The custom method
returns the same value as \`getUser\`. The peers have no basket.

"Lean" means settings with less work: \`saveUninitialized: false\` for express-session; the same and \`rolling: false\` for
@fastify/session; \`disableTouch: true\` for connect-redis, so that a read extends no session; no \`encryptionKey\` for
hono-sessions. express-session and @fastify/session use connect-redis on Redis. iron-session stores everything in the cookie,
so it can't end a session. connect-redis 10 and iron-session 9 need Node 22, so the bench measures the versions before.

${tables.join("\n\n")}`;
}

/** Compares a row of ours with the best peer on the same storage. @returns undefined if one of them is not measured */
export function findDuel(rows, row) {
  const ours = rows.find((other) => other.row === row);
  if (ours === undefined) return undefined;
  const [kind] = row.split("/");
  const { storage } = targets[ours.target];
  const [peer] = rows
    .filter((other) => other.row.startsWith(`${kind}/`) && targets[other.target].isPeer)
    .filter(({ target }) => targets[target].storage === storage)
    .toSorted((a, b) => toShare(b) - toShare(a));
  return peer && { ours, peer, ratio: toShare(ours) / toShare(peer) };
}

// --- Internal helpers ---

const quickTargets = [
  "node-http-batched",
  "h3-batched",
  "ours-memory",
  "ours-method",
  "ours-metrics",
  "ours-tracing",
  "ours-lines",
  "ours-h3-app",
  "ours-redis-warm",
  "ours-redis-cold",
  "fastify-memory-lean",
  "hono-memory-lean",
  "fastify-redis-lean",
];

const quickGuests = ["node-http-batched", "ours-memory"];

/** The bare servers, ours, and the fastest peers of earlier runs. */
function isQuick(kind, name) {
  return kind === "guest" ? quickGuests.includes(name) : quickTargets.includes(name);
}

function toShare(row) {
  return row.of["node-http"].cpu.median;
}

function toDuels(rows) {
  const duels = rows
    .filter(({ target }) => target.startsWith("ours-"))
    .map(({ row }) => findDuel(rows, row))
    .filter((duel) => duel !== undefined)
    .map(({ ours, peer, ratio }) => [ours.label, peer.label, `${ratio.toFixed(2)} ×`]);
  const head = ["ours", "best peer on the same storage", "CPU time of the peer against ours"];
  return duels.length === 0 ? "" : toTable([head, ...duels]);
}
