import { readFileSync } from "node:fs";

/** The rows of a document's table with the given first column heading, as written. */
export function readTable(file: string, head: string): string[][] {
  const text = readFileSync(new URL(`../${file}`, import.meta.url), "utf8");
  const [, table = ""] = text.split(new RegExp(`^\\| ${head} \\|.*\\n\\|[ |-]+\\|\\n`, "m"));
  return (/^(?:\|.*\|\n)+/.exec(table)?.[0] ?? "")
    .trim()
    .split("\n")
    .map((row) => row.slice(1, -1).split("|"))
    .map((cells) => cells.map((cell) => cell.trim()));
}
