import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { readTable } from "../_table.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));

/** The sections of ASVS 5.0 that docs/security.md answers, and how many of their requirements. */
const sections = {
  "7.1": 3,
  "7.2": 4,
  "7.3": 2,
  "7.4": 5,
  "7.5": 3,
  "7.6": 2,
  "3.3": 5,
  "3.5": 8,
  "9.1": 3,
  "9.2": 4,
  "6.2": 12,
  "6.3": 1,
  "6.4": 6,
};

describe("docs/security.md", () => {
  const rows = readTable("docs/security.md", "requirement");
  let titles: ReadonlySet<string>;

  beforeAll(async () => {
    titles = await readTitles();
  }, 60_000);

  test("lists each requirement exactly once", () => {
    const expected = Object.entries(sections).flatMap(([section, count]) =>
      Array.from({ length: count }, (_, index) => `${section}.${index + 1}`),
    );
    expect(rows.map(([requirement]) => requirement?.split(" ")[0])).toEqual(expected);
  });

  test("names a test for each class of advisories, and a class for each test", () => {
    const named = readTable("docs/security.md", "class").flatMap(([, , tests = ""]) =>
      tests.split(/, (?=`)/),
    );
    const known = [...titles].filter((title) => /^advisories(?:-server)? › /.test(title));
    expect(named.map((name) => name.replaceAll("`", "")).toSorted()).toEqual(known.toSorted());
  });

  test.each(rows)("%s: names existing tests, or a reason", (_, how, tests) => {
    if (tests === "–") return expect(how).toMatch(/^Not ours, because \w/);
    expect(toNames(tests).filter((name) => !titles.has(name))).toEqual([]);
  });

  test.each(readTable("docs/security.md", "guarantee"))("%s: names existing tests", (_, tests) => {
    expect(toNames(tests).filter((name) => !titles.has(name))).toEqual([]);
  });
});

function toNames(tests: string | undefined): readonly string[] {
  return (tests ?? "").split(/, (?=`)/).map((name) => /^`([^`]+)`$/.exec(name)?.[1] ?? name);
}

/**
 * The tests there are, each as `<file> › <title>`: as they are written, so those of `test.each` with
 * their placeholders. Nothing is run for it.
 */
async function readTitles(): Promise<ReadonlySet<string>> {
  const vitest = join(root, "node_modules/.bin/vitest");
  const list = ["list", "--static-parse", "--json", "--typecheck.enabled=false"];
  const { stdout } = await run(vitest, list, { cwd: root, maxBuffer: 16_000_000 });
  const tests = JSON.parse(stdout) as readonly { readonly name: string; readonly file: string }[];
  return new Set(
    tests.map(({ name, file }) => {
      const [, noun] = /([^/]+)\.test\.ts$/.exec(file) ?? [];
      return `${noun} › ${name.split(" > ").at(-1)}`;
    }),
  );
}
