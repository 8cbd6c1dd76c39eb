import { expect, test } from "vitest";
import { startErrors } from "../../../server/config/start-error.ts";
import { createFolder, runCli, shops } from "../../_cli.ts";
import { readTable } from "../../_table.ts";

test("docs/doctor.md lists all start errors", () => {
  const rows = Object.entries(startErrors).map(([code, { about, remedy }]) => [
    `\`${code}\``,
    about,
    remedy,
  ]);
  expect(readTable("docs/doctor.md", "start error")).toEqual(rows);
});

test.each([
  ["sesion: {}", /sesion: .*; did you mean session\? \(SF001\)/],
  ["maxAge: 60", /maxAge: .*; did you mean session\.maxAge\? \(SF001\)/],
  ["session: { maxage: 60 }", /session\.maxage: .*; did you mean maxAge\? \(SF001\)/],
  ['storage: { session: { driver: "redsi" } }', /did you mean redis\? \(SF001\)/],
  [
    "server: { routes() { throw new Error('boom') } }",
    /^storefront: server\.routes: boom \(SF906\)/,
  ],
])("start says how to correct %s", async (settings, message) => {
  const folder = await createFolder({
    "storefront.config.mjs": `export default { shops: ${shops}, ${settings} };`,
  });
  const { code, stderr } = await runCli(["start", "--port", "0"], { folder });
  expect(code).toBe(1);
  expect(stderr).toMatch(message);
});
