import { expect, test } from "vitest";
import { problems } from "../../rpc/error.ts";
import { readTable } from "../_table.ts";

test("docs/errors.md lists each error code with its status, cause, and remedy", () => {
  const rows = readTable("docs/errors.md", "status");
  const listed = rows.map(([status, code]) => `${status} ${code}`);
  const expected = Object.entries(problems).map(([code, [status]]) => `${status} \`${code}\``);
  expect(listed.toSorted()).toEqual(expected.toSorted());
  for (const [, code, cause, remedy] of rows) {
    expect(cause, code).toBeTruthy();
    expect(remedy, code).toBeTruthy();
  }
});
