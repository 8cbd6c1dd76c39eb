import { calls } from "../calls.mjs";
import { measureKind } from "../kind.mjs";
import { toCallsTable } from "../markdown.mjs";
import { isAsked } from "../options.mjs";
import { targets } from "../targets.mjs";

export const title = "Calls";

/** Each kind of call on each storage, by cookie and by token, by one server and by two. */
export async function measure(options) {
  const rows = [];
  // The others are among the peers' rows, too.
  const kinds = options.quick ? ["basket", "login"] : Object.keys(calls);
  for (const kind of kinds) {
    const entries = variants(options).map((variant) => toEntry(kind, variant));
    const asked = entries.filter(({ row }) => isAsked(row, options));
    if (asked.length > 0) rows.push(...(await measureKind(kind, asked, options)));
  }
  return rows;
}

export function toMarkdown(rows) {
  return `What a call of each kind costs, as it comes from a browser. Of a call, h3 without sessions answers the same text.
"Of bare" is the share of that server's figure in the same round; the processor's the other way round, so that more is
better everywhere. Writes change a field of the session; a login asks an \`auth\` that believes everyone, so that sessions are
measured and no password hash.

${toCallsTable(rows)}`;
}

// --- Internal helpers ---

const storages = ["memory", "redis-cold", "redis-warm"];

function variants({ quick }) {
  const one = storages.map((storage) => ({ storage, transport: "cookie", processes: 1 }));
  if (quick) return one.filter(({ storage }) => storage !== "redis-cold");
  const bearer = one.map((variant) => ({ ...variant, transport: "bearer" }));
  const two = one.slice(1).map((variant) => ({ ...variant, processes: 2 }));
  return [...one, ...bearer, ...two];
}

function toEntry(kind, { storage, transport, processes }) {
  const name = `ours-${storage}`;
  const servers = processes === 1 ? "" : ", two servers";
  return {
    row: `${kind}/${storage}/${transport}${processes === 1 ? "" : `/${processes}`}`,
    label: `${targets[name].label}, ${transport}${servers}`,
    name,
    transport,
    processes,
  };
}
