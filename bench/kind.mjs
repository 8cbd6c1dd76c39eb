import { assertAnswers, logIn, toLoad } from "./calls.mjs";
import { compare, measureInTurns, summarize } from "./rounds.mjs";
import { openTarget, targets } from "./targets.mjs";

/**
 * Measures one kind of call on several targets beside h3 without sessions, all in the same rounds.
 * @param entries each with the `row` it is for, and the target by `name`, `transport`, `processes`
 * @returns one row for each entry, after that of h3
 */
export async function measureKind(kind, entries, options) {
  const all = [{ row: `${kind}/h3`, name: "h3" }, ...entries];
  const opened = [];
  try {
    for (const entry of all) opened.push(await openTarget(entry.name, entry));
    const loads = [];
    for (const target of opened) loads.push(await prepare(kind, target));
    const turns = opened.map(({ servers }, at) => ({ servers, load: loads[at] }));
    const measured = await measureInTurns(turns, options);
    for (const [at, target] of opened.entries()) await assertAll(kind, target, loads[at]);
    return all.map((entry, at) => toRow(entry, at, all, measured));
  } finally {
    await Promise.all(opened.map((target) => target.close()));
  }
}

// --- Internal helpers ---

/** More than there are connections, so that hardly ever two requests are of the same visitor. */
const visitorCount = 640;

async function prepare(kind, target) {
  const visitors = await logIn(target.servers[0].origin, visitorCount);
  const load = toLoad(kind, targets[target.name], visitors);
  await assertAll(kind, target, load);
  return load;
}

async function assertAll(kind, { servers }, load) {
  for (const { origin } of servers) await assertAnswers(origin, kind, load);
}

function toRow({ row, name, label = targets[name].label }, at, all, measured) {
  const others = all.map((other, index) => [
    other.name,
    compare(measured[at], measured[index], "rate"),
  ]);
  return {
    row,
    label,
    target: name,
    ...summarize(measured[at]),
    ofBare: {
      rate: compare(measured[at], measured[0], "rate"),
      // The other way round, so that more is better here too.
      cpu: compare(measured[0], measured[at], "cpu"),
      p99: compare(measured[at], measured[0], "p99"),
    },
    of: Object.fromEntries(others.map(([other, { median }]) => [other, median])),
  };
}
