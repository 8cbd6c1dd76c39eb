import { checkBudgets } from "./budgets.mjs";
import { toTable } from "./markdown.mjs";

/**
 * Creates the text of RESULTS.md.
 * @param results the content of `results.json`
 * @param modules the tables, by name
 */
export function toReport({ machine, tables }, modules) {
  const rows = Object.fromEntries(
    Object.entries(tables).map(([name, table]) => [name, table.rows]),
  );
  const sections = Object.entries(modules)
    .filter(([name]) => tables[name] !== undefined)
    .map(([name, { title, toMarkdown }]) => toSection(name, title, toMarkdown, tables[name]));
  return `# Results of the benchmark

\`npm run bench\` writes this file and measures all of it again. \`npm run bench -- --help\` explains the options.

- Each server runs in its own process, on a core of its own. ${machine.loader} and Redis use another core. Rows with two servers use all cores.
- The load uses 64 connections and 640 visitors, the same for each server.
- All servers of a kind of call run in the same rounds of a second, in turns, in a different order each round.
- A figure is the median of the rounds. Brackets contain the lowest and the highest round.
- A share compares the CPU time per request of two servers in the same round: 200 % means half the CPU time of the other server.
- CPU time is that of the server's process with all its threads, divided by the requests. On a shared machine, it is steadier
  than requests per second. \`npm run bench -- --again\` measures a second time and prints the rows that differ by more than 10 %.

${toTable(toMachineRows(machine))}

## Budgets

${toTable(toBudgetRows(rows))}

![CPU time per request as a share of node:http](chart.svg)

${sections.join("\n\n")}
`;
}

// --- Internal helpers ---

function toSection(name, title, toMarkdown, { rows, measuredAt, quick }) {
  const commits = new Set(rows.map(({ commit }) => commit));
  const how = quick ? " with `--quick`: too few rounds to quote" : "";
  return `## ${title}

Measured ${measuredAt.slice(0, 10)} at ${[...commits].join(" and ")}${how}. To measure a row again: \`npm run bench -- --only ${name} --rows <row>\`.

${toMarkdown(rows)}`;
}

function toBudgetRows(rows) {
  const lines = checkBudgets(rows).map(({ budget, measured, isMet }) => {
    const verdict = isMet ? "met" : "**not met**";
    return [budget, measured ?? "not measured", measured === undefined ? "" : verdict];
  });
  return [["budget", "measured", ""], ...lines];
}

function toMachineRows({ processor, cores, memory, system, node, redis, loader, ...rest }) {
  const { dependencies, peers } = rest;
  return [
    ["", ""],
    ["machine", `${processor}, ${cores} cores, ${memory} GB, ${system}`],
    ["programs", `Node ${node}, ${redis}, ${loader}`],
    ["Storefront Core on", list(dependencies)],
    ["peers and tools", list(peers)],
  ];
}

function list(versions) {
  return Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(", ");
}
