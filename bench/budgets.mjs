import { toPercent, toSpread } from "./markdown.mjs";
import { findDuel } from "./tables/peers.mjs";

/**
 * Compares the figures with the goals.
 * @param tables the rows of each measured table, by its name
 * @returns for each budget its text, the measured figure, and whether it is met; the last two are absent if not measured
 */
export function checkBudgets(tables) {
  const rows = { calls: [], peers: [], scale: [], start: [], commands: [], ...tables };
  return [
    ...shareBudgets.map((budget) => checkShare(rows.peers, budget)),
    ...duelBudgets.map((budget) => checkDuel(rows.peers, budget)),
    ...telemetryBudgets.map((budget) => checkTelemetry(rows.peers, budget)),
    ...p99Budgets.map((budget) => checkP99(rows.peers, budget)),
    ...commandBudgets.map((budget) => checkCommands(rows.commands, budget)),
    ...["memory", "redis"].map((storage) => checkEnds(rows.scale, storage)),
    checkHeap(rows.scale),
    checkStart(rows.start),
    checkErrors([...rows.calls, ...rows.peers, ...rows.scale]),
  ];
}

// --- Internal helpers ---

/** CPU time per request: the share of node:http without batching. */
const shareBudgets = [
  { row: "read/ours-memory", what: "read, memory", least: 1.05 },
  { row: "guest/ours-memory", what: "guest, memory", least: 1.15 },
  { row: "write/ours-memory", what: "write, memory", least: 0.6 },
  { row: "write/ours-redis-warm", what: "write, Redis", least: 0.37 },
  { row: "basket/ours-redis-warm", what: "basket, Redis", least: 0.39 },
];

/** CPU time per request: how often it fits into that of the best peer on the same storage. */
const duelBudgets = [
  { row: "read/ours-memory", what: "read, memory", least: 2 },
  { row: "write/ours-memory", what: "write, memory", least: 2 },
  { row: "read/ours-redis-warm", what: "read, Redis, warm", least: 1.6 },
  { row: "read/ours-redis-cold", what: "read, Redis, cold", least: 1.1 },
  { row: "write/ours-redis-warm", what: "write, Redis, warm", least: 1.2 },
];

/** CPU time per request: how much more a read of ours takes with telemetry. */
const telemetryBudgets = [
  { row: "read/ours-metrics", what: "metrics", most: 1.03 },
  { row: "read/ours-tracing", what: "OpenTelemetry without an SDK", most: 1.03 },
  { row: "read/ours-lines", what: "a log line for each call", most: 1.08 },
];

const p99Budgets = [
  { row: "read/ours-memory", what: "read, memory" },
  { row: "read/ours-redis-warm", what: "read, Redis, warm" },
];

const commandBudgets = [
  { row: "read/cold", most: 1 },
  { row: "read/warm", most: 0 },
  { row: "write/cold", most: 2 },
  { row: "write/warm", most: 2 },
  { row: "guest/cold", most: 0 },
  { row: "guest/warm", most: 0 },
  { row: "login/cold", most: 6 },
];

function checkShare(rows, { row, what, least }) {
  const share = rows.find((other) => other.row === row)?.of["node-http"].cpu;
  return {
    budget: `${what}: ≥ ${toPercent(least)} % of node:http without batching`,
    measured: share && `${toSpread(share)} %`,
    isMet: share && share.median >= least,
  };
}

function checkDuel(rows, { row, what, least }) {
  const duel = findDuel(rows, row);
  return {
    budget: `${what}: ≥ ${least} × the best peer`,
    measured: duel && `${toRatio(duel.ratio)} × ${duel.peer.label}`,
    isMet: duel && duel.ratio >= least,
  };
}

function checkTelemetry(rows, { row, what, most }) {
  const shareOf = (name) => rows.find((other) => other.row === name)?.of["node-http"].cpu.median;
  const [plain, observed] = [shareOf("read/ours-memory"), shareOf(row)];
  const ratio = plain && observed && plain / observed;
  return {
    budget: `read, memory, ${what}: ≤ ${most} × without`,
    measured: ratio && `${ratio.toFixed(3)} ×`,
    isMet: ratio && ratio <= most,
  };
}

function checkP99(rows, { row, what }) {
  const ratio = rows.find((other) => other.row === row)?.of.h3.p99.median;
  return {
    budget: `${what}, p99 at 64 connections: ≤ 1.5 × h3 without batching`,
    measured: ratio && `${toRatio(ratio)} ×`,
    isMet: ratio && ratio <= 1.5,
  };
}

function checkCommands(rows, { row, most }) {
  const count = rows.find((other) => other.row === row)?.commands.length;
  return {
    budget: `Redis commands, ${row.replace("/", ", ")}: ≤ ${most}`,
    measured: count?.toString(),
    isMet: count === undefined ? undefined : count <= most,
  };
}

function checkEnds(rows, storage) {
  const ratios = rows
    .filter(({ row }) => row.startsWith(`size/${storage}/`))
    .map(({ endRatio }) => endRatio);
  const most = ratios.length > 1 ? Math.max(...ratios) : undefined;
  return {
    budget: `destroySessionsForUserId, ${storage}: ≤ 1.3 × from 1 k to 1 M others`,
    measured: most && `${toRatio(most)} ×`,
    isMet: most && most <= 1.3,
  };
}

function checkHeap(rows) {
  const bytes = rows.findLast(({ row }) => row.startsWith("size/memory/"))?.bytes.sessions;
  return {
    budget: "heap per session with a user of 600 bytes: ≤ 900 bytes",
    measured: bytes && `${Math.round(bytes)} bytes`,
    isMet: bytes && bytes <= 900,
  };
}

function checkStart(rows) {
  const ratio = rows.find(({ row }) => row === "start")?.ratio;
  return {
    budget: "cold start with a config in JavaScript: ≤ 2 × a script with h3 alone",
    measured: ratio && `${toRatio(ratio)} ×`,
    isMet: ratio && ratio <= 2,
  };
}

function checkErrors(rows) {
  const errors = rows.reduce((sum, row) => sum + (row.errors ?? row.read?.errors ?? 0), 0);
  return { budget: "errors: none", measured: String(errors), isMet: errors === 0 };
}

function toRatio(ratio) {
  return ratio.toFixed(2);
}
