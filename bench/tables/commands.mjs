import { calls, logInOnce, send } from "../calls.mjs";
import { toTable } from "../markdown.mjs";
import { isAsked } from "../options.mjs";
import { openTarget } from "../targets.mjs";

export const title = "Redis commands";

/** What Redis is sent for one call of each kind. */
export async function measure(options) {
  const rows = [];
  for (const cache of ["cold", "warm"]) {
    const target = await openTarget(`ours-redis-${cache}`);
    try {
      for (const kind of [...Object.keys(calls), "logout"]) {
        const row = `${kind}/${cache}`;
        if (isAsked(row, options)) rows.push({ row, ...(await measureKind(kind, target)) });
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
  return `Commands that a server sends to Redis for one call, of a server without a cache (cold) and of one that has seen the
session before (warm): the middle of five calls, in brackets the least and the most. A write makes the cache forget, so of
writes in a row only the first is spared the read; the first run of a script on a server costs one more to load it. What a script does
inside of Redis is no command, nor are the signs of life of a connection.

${toTable([["row", "commands", "which"], ...lines])}`;
}

// --- Internal helpers ---

const callsCounted = 5;

/** Counts a few calls of a kind: what a login before them goes on with after its answer is not theirs. */
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

/** Logs a visitor in whose session is known from a read; whose basket, where it is about that, has begun. */
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

/** Counts by MONITOR, which tells all in order: what came before the ECHO has been told once that is. */
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
  // What is still told now is of what came after.
  return [...commands];
}
