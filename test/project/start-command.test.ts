import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { startCommand } from "../_command.ts";

test("a command that doesn't start shows its output, although a child of it still runs", async () => {
  const command = "echo The port is taken; sleep 1000 & exit 1";
  const start = startCommand(command, { cwd: tmpdir() }, () => false);
  await expect(start).rejects.toThrow("The port is taken");
});
