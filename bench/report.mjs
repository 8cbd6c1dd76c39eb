import { checkBudgets } from "./budgets.mjs";
import { toTable } from "./markdown.mjs";

/**
 * Writes down what was measured.
 * @param results what `results.json` holds
 * @param modules the tables, by name
 */
export function toReport({ machine, tables }, modules) {
  const rows = Object.fromEntries(
    Object.entries(tables).map(([name, table]) => [name, table.rows]),
  );
  const sections = Object.entries(modules)
    .filter(([name]) => tables[name] !== undefined)
    .map(([name, { title, toMarkdown }]) => toSection(name, title, toMarkdown, tables[name]));
  return `# What was measured

Written by \`npm run bench\`, which measures all of this again; nothing here is written by hand. \`npm run bench -- --help\` tells
the options. Every server is a process of its own and answers ${machine.loader} on 64 connections, in short rounds by turns, in
another order each round. What is compared is compared within the same round; what is shown is the median of the rounds, in
brackets the least and the most. Processor time is that of the server's process, with all its threads, divided by the
requests; on a machine that others use too it is steadier than requests per second.

${toTable(toMachineRows(machine))}

## Budgets

${toTable(toBudgetRows(rows))}

![Requests per second as a share of h3 without sessions](chart.svg)

${sections.join("\n\n")}
`;
}

// --- Internal helpers ---

function toSection(name, title, toMarkdown, { rows, measuredAt, quick }) {
  const commits = new Set(rows.map(({ commit }) => commit));
  const how = quick ? " by `--quick`, too short to be quoted" : "";
  return `## ${title}

Measured ${measuredAt.slice(0, 10)} at ${[...commits].join(" and ")}${how}. A row again: \`npm run bench -- --only ${name} --rows <row>\`.

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
