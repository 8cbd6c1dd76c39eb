import { expect, test } from "vitest";
import { runCli } from "../../_cli.ts";

test.each([
  ["strat --port 3", "start"],
  ["strat --workers 2", "start"],
  ["doctr --json", "doctor"],
  ["explian --shop 1 --json", "explain"],
])("names the command that %s probably means", async (args, command) => {
  const { code, stdout, stderr } = await runCli(args.split(" "));
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toMatch(/^storefront: Unknown command "\w+"\. Did you mean \w+\? \(SF907\)\n/);
  expect(stderr).toContain(`Did you mean ${command}?`);
});
