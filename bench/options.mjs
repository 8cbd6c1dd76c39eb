import { parseArgs } from "node:util";

export const usage = `npm run bench -- [options]
  --quick         short rounds, and the most telling rows only: two or three minutes, not three quarters of an hour
  --only TABLES   one or several of calls, peers, scale, start, commands, soak, separated by commas
  --rows TEXT     only the rows with this in their name
  --soak          ten minutes of full load on each storage as well
What is not measured stays as it was measured before.`;

/**
 * How long and how often, and what of it all.
 * @param tables the names that there are
 * @throws TypeError for what is no option, or no table
 */
export function readOptions(tables) {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      rows: { type: "string" },
      soak: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const { only, ...rest } = values;
  const asked = only?.split(",");
  const unknown = asked?.find((name) => !tables.includes(name));
  if (unknown !== undefined) throw new TypeError(`There is no table "${unknown}"\n\n${usage}`);
  const lengths = values.quick
    ? { rounds: 3, seconds: 1, warmUp: 1 }
    : { rounds: 5, seconds: 3, warmUp: 2 };
  return { ...rest, only: asked, ...lengths };
}

/** Whether a row is to be measured. */
export function isAsked(row, { rows = "" }) {
  return row.includes(rows);
}
