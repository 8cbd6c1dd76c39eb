import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { builtinMethods } from "../../rpc/methods/builtin.ts";
import { readTable } from "../_table.ts";

const names = Object.keys(builtinMethods).toSorted();

test("docs/rpc.md lists every built-in method", () => {
  const cells = readTable("docs/rpc.md", "method").map(([cell = ""]) => cell);
  expect(namesIn(cells.join())).toEqual(names);
});

test("the README lists every built-in method", () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const [, list = ""] = /these built-in methods:\n\n((?:[- ] .+\n)+)/.exec(readme) ?? [];
  expect(namesIn(list)).toEqual(names);
});

function namesIn(text: string): readonly string[] {
  return [...text.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name).toSorted();
}
