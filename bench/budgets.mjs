import { findBestPeer } from "./tables/peers.mjs";

/**
 * What the figures are to be, and what they are.
 * @param tables the rows of each table that was measured, by its name
 * @returns for each budget its text, what was measured and whether it is met; both absent where nothing was
 */
export function checkBudgets(tables) {
  const rows = { calls: [], peers: [], scale: [], start: [], commands: [], ...tables };
  return [
    ...shareBudgets.map((budget) => checkShare(rows.peers, budget)),
    ...duelBudgets.map((budget) => checkDuel(rows.peers, budget)),
    ...p99Budgets.map((budget) => checkP99(rows.peers, budget)),
    ...commandBudgets.map((budget) => checkCommands(rows.commands, budget)),
    ...["memory", "redis"].map((storage) => checkEnds(rows.scale, storage)),
    checkHeap(rows.scale),
    checkStart(rows.start),
    checkErrors([...rows.calls, ...rows.peers, ...rows.scale]),
  ];
}

// --- Internal helpers ---

/** Requests per second, as a share of h3 without sessions. */
const shareBudgets = [
  { row: "read/ours-memory", what: "read, memory", least: 0.85 },
  { row: "read/ours-redis-warm", what: "read, Redis, warm", least: 0.85 },
  { row: "read/ours-redis-cold", what: "read, Redis, cold", least: 0.55 },
  { row: "guest/ours-memory", what: "guest", least: 0.95 },
  { row: "write/ours-memory", what: "write, memory", least: 0.65 },
  { row: "write/ours-redis-warm", what: "write, Redis", least: 0.35 },
];

/** Requests per second, as a multiple of the best peer's on the same storage. */
const duelBudgets = [
  { kind: "read", name: "ours-memory", storage: "memory", least: 2 },
  { kind: "write", name: "ours-memory", storage: "memory", least: 2 },
  { kind: "read", name: "ours-redis-warm", storage: "redis", least: 1.6 },
  { kind: "read", name: "ours-redis-cold", storage: "redis", least: 1.1 },
  { kind: "write", name: "ours-redis-warm", storage: "redis", least: 1.2 },
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
  const found = rows.find((other) => other.row === row)?.ofBare;
  return {
    budget: `${what}: ≥ ${least} of h3 bare`,
    measured:
      found && `${toRatio(found.rate.median)} (by processor time ${toRatio(found.cpu.median)})`,
    isMet: found && found.rate.median >= least,
  };
}

function checkDuel(rows, { kind, name, storage, least }) {
  const best = findBestPeer(rows, kind, storage);
  const ratio = best && rows.find(({ row }) => row === `${kind}/${name}`)?.of[best.target];
  const way = { "ours-redis-warm": ", warm", "ours-redis-cold": ", cold" }[name] ?? "";
  return {
    budget: `${kind}, ${storage === "redis" ? "Redis" : storage}${way}: ≥ ${least} × the best peer`,
    measured: ratio && `${toRatio(ratio)} × ${best.label}`,
    isMet: ratio && ratio >= least,
  };
}

function checkP99(rows, { row, what }) {
  const ratio = rows.find((other) => other.row === row)?.ofBare.p99.median;
  return {
    budget: `${what}, p99 at 64 connections: ≤ 1.5 × h3 bare`,
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
    budget: "cold start: ≤ 2 × a script with h3 alone",
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
