import { measureKind } from "../kind.mjs";
import { toCallsTable, toTable } from "../markdown.mjs";
import { isAsked } from "../options.mjs";
import { targets } from "../targets.mjs";

export const title = "Peers";

/** The same calls on servers with other sessions, at the settings of their READMEs and at their leanest. */
export async function measure(options) {
  const rows = [];
  for (const kind of ["read", "write", "guest"]) {
    const entries = Object.keys(targets)
      .filter((name) => name !== "h3" && (!options.quick || isQuick(kind, name)))
      .map((name) => ({ row: `${kind}/${name}`, name }))
      .filter(({ row }) => isAsked(row, options));
    if (entries.length > 0) rows.push(...(await measureKind(kind, entries, options)));
  }
  return rows;
}

export function toMarkdown(rows) {
  const kinds = [...new Set(rows.map(({ row }) => row.split("/")[0]))];
  const tables = kinds.map((kind) => {
    const ofKind = rows.filter(({ row }) => row.startsWith(`${kind}/`));
    return `### ${kind[0].toUpperCase()}${kind.slice(1)}\n\n${toCallsTable(ofKind)}\n\n${toTable(duels(ofKind, kind))}`;
  });
  return `Lean settings, where a README has others: \`saveUninitialized: false\` for express-session; that and \`rolling: false\` for
@fastify/session; \`disableTouch: true\` for connect-redis, so that reading extends no session; no \`encryptionKey\` for
hono-sessions. Everything else has one way only. Redis stores of express-session and @fastify/session are connect-redis.
iron-session keeps nothing on the server: it can end no session. connect-redis 10 and iron-session 9 need Node 22, so
those before them are measured.

${tables.join("\n\n")}`;
}

/** The fastest of the peers on a storage, against a row of ours. */
export function findBestPeer(rows, kind, storage) {
  const peers = rows.filter(
    ({ row, target }) =>
      row.startsWith(`${kind}/`) && targets[target].isPeer && targets[target].storage === storage,
  );
  return peers.toSorted((a, b) => b.rate - a.rate)[0];
}

// --- Internal helpers ---

const quickTargets = [
  "ours-memory",
  "ours-redis-warm",
  "ours-redis-cold",
  "fastify-memory-lean",
  "hono-memory-lean",
  "fastify-redis-lean",
];

/** Ours, and the peers that were fastest so far. */
function isQuick(kind, name) {
  return kind === "guest" ? name === "ours-memory" : quickTargets.includes(name);
}

function duels(rows, kind) {
  const found = ["memory", "redis"].flatMap((storage) => {
    const best = findBestPeer(rows, kind, storage);
    const ours = rows.filter(({ target }) => target.startsWith(`ours-${storage}`));
    return ours
      .filter(({ of }) => of[best?.target] !== undefined)
      .map(({ label, of }) => [label, best.label, `${of[best.target].toFixed(2)} ×`]);
  });
  return [
    ["ours", "the best peer on the same storage", "requests per second against it"],
    ...found,
  ];
}
