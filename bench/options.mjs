import { parseArgs } from "node:util";

export const usage = `npm run bench -- [options]
  --quick         short rounds of the most important rows, in a few minutes
  --only TABLES   some of the tables calls, peers, scale, start, commands, soak, separated by commas
  --rows TEXT     only the rows that contain this text in their name
  --soak          also ten minutes of full load on each storage
  --again         measure calls and peers a second time, and print the rows that differ; writes no files
Results that a run doesn't measure stay as they are.`;

/**
 * Reads the options of the command line.
 * @param tables the names of all tables
 * @throws TypeError for an unknown option or table
 */
export function readOptions(tables) {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      rows: { type: "string" },
      soak: { type: "boolean", default: false },
      again: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const only = values.only?.split(",") ?? (values.again ? ["calls", "peers"] : undefined);
  const unknown = only?.find((name) => !tables.includes(name));
  if (unknown !== undefined) {
    throw new TypeError(`Unknown table "${unknown}". Expected ${tables.join(", ")}.\n\n${usage}`);
  }
  // Many short rounds: a disturbance of some seconds then spoils few of them.
  const lengths = values.quick
    ? { rounds: 3, seconds: 1, warmUp: 1 }
    : { rounds: 9, seconds: 1, warmUp: 3 };
  return { ...values, only, ...lengths };
}

/** Whether the run measures a row. */
export function isSelected(row, { rows = "" }) {
  return row.includes(rows);
}
