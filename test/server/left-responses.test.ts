import { setTimeout } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import type { PublicRpcContext } from "../../rpc/context.ts";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { createSetup } from "../_setup.ts";

type Signal = Pick<PublicRpcContext, "signal">;

describe("a client that disconnects during a method's Response", () => {
  const { start } = createSetup("memory", "server", () => ({ driver: "memory" }));

  test.each<[string, (context: Signal) => AbortSignal | undefined]>([
    ["a body that its signal aborts", ({ signal }) => signal],
    ["a body that heeds no signal", () => undefined],
  ])("causes no error, and ends %s", async (_, signalOf) => {
    const ended = vi.fn();
    const handler = (_input: undefined, context: Signal) =>
      new Response(createEndlessBody(signalOf(context), ended));
    const methods = {
      give: defineRpcMethod({ handler }),
      show: defineRpcMethod({ access: "public", readOnly: true, handler }),
    };
    const { lines, send } = await start({ methods });
    for (const [method, verb] of [
      ["give", "POST"],
      ["show", "GET"],
    ] as const) {
      ended.mockClear();
      const client = new AbortController();
      const headers = { "x-shop-id": "1001" };
      const init = { method: verb, headers, signal: client.signal };
      const response = await send(`/api/rpc/${method}`, init);
      await response.body?.getReader().read();
      client.abort();
      await vi.waitFor(() => expect(ended).toHaveBeenCalled());
    }
    // Time for a line that should not come.
    await setTimeout(50);
    expect(lines.filter(({ level }) => level !== "debug")).toEqual([]);
  });
});

// --- Internal helpers ---

/** A body that goes on until it is canceled or aborted. */
function createEndlessBody(signal: AbortSignal | undefined, ended: () => void) {
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      await setTimeout(5);
      if (signal?.aborted) ended();
      signal?.throwIfAborted();
      controller.enqueue(new Uint8Array(1000));
    },
    cancel: ended,
  });
}
