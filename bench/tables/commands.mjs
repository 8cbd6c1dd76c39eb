import { calls, logInOnce, send } from "../calls.mjs";
import { toTable } from "../markdown.mjs";
import { isSelected } from "../options.mjs";
import { openTarget } from "../targets.mjs";

export const title = "Redis commands";

/** The commands that a server sends to Redis for one call of each kind. */
export async function measure(options) {
  const rows = [];
  for (const cache of ["cold", "warm"]) {
    const target = await openTarget(`ours-redis-${cache}`);
    try {
      for (const kind of [...Object.keys(calls), "logout"]) {
        const row = `${kind}/${cache}`;
        if (isSelected(row, options)) rows.push({ row, ...(await measureKind(kind, target)) });
      }
    } finally {
      await target.close();
    }
  }
  return rows;
}

export function toMarkdown(rows) {
  const lines = rows.map(({ row, commands, least, most }) => [
    `\`${row}\``,
    least === most ? String(most) : `${commands.length} (${least}–${most})`,
    commands.join(", ") || "none",
  ]);
  return `The commands that a server sends to Redis for one call. "Cold" is a server without a cache. "Warm" is a server that has the session in
its cache. The figure is the median of five calls; brackets contain the lowest and the highest number. A write removes the
session from the cache, so only the first of several writes saves the read. The first run of a script needs one more command
to load the script. The table doesn't count commands inside a script, and pings.

${toTable([["row", "commands", "which"], ...lines])}`;
}

// --- Internal helpers ---

const callsCounted = 5;

/** Counts several calls, because commands of an earlier login can still arrive during the first one. */
async function measureKind(kind, { redis, servers: [{ origin }] }) {
  const counted = [];
  let visitor = await enter(kind, origin);
  for (let call = 0; call < callsCounted; call++) {
    counted.push(await countCommands(redis.client, () => callOnce(kind, origin, visitor)));
    if (kind === "logout") visitor = await enter(kind, origin);
  }
  const sorted = counted.toSorted((a, b) => a.length - b.length);
  const commands = sorted[callsCounted >> 1];
  return { commands, least: sorted[0].length, most: sorted.at(-1).length };
}

/** Logs a visitor in, and reads the session once. Before basket calls, it also creates the basket. */
async function enter(kind, origin) {
  const visitor = await logInOnce(origin, `user-${++count}`);
  await callOnce("read", origin, visitor);
  if (kind === "basket") await callOnce(kind, origin, visitor);
  return visitor;
}

let count = 0;

function callOnce(kind, origin, visitor) {
  const { method, body, isAnonymous } = calls[kind] ?? { method: kind, body: "{}" };
  const sent = body.replace("%d", String(++count));
  return send(origin, `/api/rpc/${method}`, sent, isAnonymous ? {} : visitor);
}

/** Counts with MONITOR, which reports commands in order. The ECHO marks the end of the call. */
async function countCommands(client, call) {
  const monitor = await client.monitor();
  const commands = [];
  const over = new Promise((resolve) => {
    monitor.on("monitor", (_time, [command], source) => {
      const name = command.toLowerCase();
      if (name === "echo") resolve();
      else if (source !== "lua" && name !== "ping") commands.push(name);
    });
  });
  await call();
  await client.echo("over");
  await over;
  monitor.disconnect();
  // A copy, because MONITOR can still report later commands.
  return [...commands];
}
