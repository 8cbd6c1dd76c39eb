import { expect, test } from "vitest";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { dispatch } from "../../rpc/dispatch.ts";
import { systemClock } from "../../storage/clock.ts";

test("runs no method of users without a session", async () => {
  let ran = false;
  const handler = () => (ran = true);
  const method = defineRpcMethod({ access: "user", handler });
  const call = {
    runtime: { hooks: {} },
    services: { clock: systemClock },
    request: { method: "deleteAccount" },
    notify: () => Promise.resolve(),
  };
  const running = dispatch(call as never, undefined, {} as never, method, undefined);
  await expect(running).rejects.toMatchObject({ code: "not_logged_in" });
  expect(ran).toBe(false);
});
