import { calls } from "../calls.mjs";
import { measureKind } from "../kind.mjs";
import { toCallsTable } from "../markdown.mjs";
import { isSelected } from "../options.mjs";
import { targets } from "../targets.mjs";

export const title = "Calls";

/** Each kind of call on each storage: by cookie and by bearer token, with one server and with two. */
export async function measure(options) {
  const rows = [];
  // The table of peers has the other kinds too.
  const kinds = options.quick ? ["login"] : Object.keys(calls);
  for (const kind of kinds) {
    const entries = variants(options).map((variant) => toEntry(kind, variant));
    const selected = entries.filter(({ row }) => isSelected(row, options));
    if (selected.length > 0) rows.push(...(await measureKind(kind, selected, options)));
  }
  return rows;
}

export function toMarkdown(rows) {
  return `The servers without sessions answer each call with the same text as ours. A write changes a field of the session. A login
calls an \`auth\` that accepts every password, so the table measures sessions and no password hash. The CPU time of Redis is
not included. With two servers, the CPU time is the sum of both, divided by their requests.

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
