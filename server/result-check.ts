import type { Call } from "../rpc/call.ts";
import type { RpcMethod } from "../rpc/method.ts";
import type { StorefrontOptions } from "./config/options.ts";

/**
 * Creates the check of development servers and tests: it logs an error if a built-in method returns another result than
 * the OpenAPI document describes, for example because of an adapter. The client gets the result in any case.
 */
export function createResultCheck({
  methods,
}: StorefrontOptions): NonNullable<Call["runtime"]["checkResult"]> {
  // Loaded by the first call.
  let document: Promise<typeof import("#openapi")> | undefined;

  async function check(call: Call, name: string, method: RpcMethod, result: unknown) {
    const { findFault } = await (document ??= import("#openapi"));
    const fault = findFault(name, method, result);
    if (fault === undefined) return;
    call.log.error(
      "A built-in method returned another result than the OpenAPI document describes",
      {
        method: name,
        fault,
      },
    );
  }

  return (call, name, method, result) =>
    methods[name] === method ? undefined : check(call, name, method, result);
}
