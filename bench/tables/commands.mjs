import { Redis } from "ioredis";
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
        if (isAsked(row, options)) rows.push({ row, commands: await measureKind(kind, target) });
      }
    } finally {
      await target.close();
    }
  }
  return rows;
}

export function toMarkdown(rows) {
  const lines = rows.map(({ row, commands }) => [
    `\`${row}\``,
    String(commands.length),
    commands.join(", ") || "none",
  ]);
  return `Commands that a server sends to Redis for one call, of a server without a cache (cold) and of one that has seen the
session before (warm). What a script does inside of Redis is no command, nor are the signs of life of a connection.

${toTable([["row", "commands", "which"], ...lines])}`;
}

// --- Internal helpers ---

/** Measures one kind of call. The first is not counted: it loads scripts, or begins a basket. */
async function measureKind(kind, { redis, servers: [{ origin }] }) {
  await callOnce(kind, origin, await logInOnce(origin, "user-1"));
  const visitor = await logInOnce(origin, "user-2");
  await callOnce("read", origin, visitor);
  if (kind !== "logout") await callOnce(kind, origin, visitor);
  return countCommands(redis.url, () => callOnce(kind, origin, visitor));
}

let count = 0;

function callOnce(kind, origin, visitor) {
  const { method, body, isAnonymous } = calls[kind] ?? { method: kind, body: "{}" };
  const sent = body.replace("%d", String(++count));
  return send(origin, `/api/rpc/${method}`, sent, isAnonymous ? {} : visitor);
}

/** Counts by MONITOR, which tells all in order: what came before the ECHO has been told once that is. */
async function countCommands(url, call) {
  const client = new Redis(url);
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
  client.disconnect();
  return commands;
}
