import { assertAnswers, logIn, toLoad } from "./calls.mjs";
import { compare, measureInTurns, summarize } from "./rounds.mjs";
import { openTarget, references, targets } from "./targets.mjs";

/**
 * Measures one kind of call on several targets and on the references, all in the same rounds.
 * @param entries each with its `row` and the target by `name`, `transport`, `processes`
 * @returns one row for each reference, then one for each entry
 */
export async function measureKind(kind, entries, options) {
  const all = [...references.map((name) => ({ row: `${kind}/${name}`, name })), ...entries];
  const opened = [];
  try {
    for (const entry of all) opened.push(await openTarget(entry.name, entry));
    const loads = [];
    for (const target of opened) loads.push(await prepare(kind, target));
    const turns = opened.map(({ servers }, at) => ({ servers, load: loads[at] }));
    const measured = await measureInTurns(turns, options);
    for (const [at, target] of opened.entries()) await assertAll(kind, target, loads[at]);
    return all.map((entry, at) => toRow(entry, measured[at], measured));
  } finally {
    await Promise.all(opened.map((target) => target.close()));
  }
}

// --- Internal helpers ---

/** Ten times the connections, so that two requests of one visitor rarely meet. */
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

function toRow({ row, name, label = targets[name].label }, rounds, measured) {
  const shares = references.map((reference, at) => [
    reference,
    {
      // The reference's time is above the line, so that more is better.
      cpu: compare(measured[at], rounds, "cpu"),
      p99: compare(rounds, measured[at], "p99"),
    },
  ]);
  return { row, label, target: name, ...summarize(rounds), of: Object.fromEntries(shares) };
}
