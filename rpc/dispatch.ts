import type { Call } from "./call.ts";
import { RpcError } from "./error.ts";
import { notify, ToldCall } from "./hooks.ts";
import type { RpcMethod, RpcMethods } from "./method.ts";
import { parseInput, parseWith } from "./schema.ts";
import { maskSecrets, type MaskedPayload } from "./secret.ts";

/** The method of this name; names such as `__proto__` are none. */
export function findMethod(methods: RpcMethods, name: string): RpcMethod | undefined {
  return Object.hasOwn(methods, name) ? methods[name] : undefined;
}

/**
 * Runs a method: finds it, checks who calls and with what, and hands it its context.
 * @returns what the method answers
 * @throws RpcError `unknown_method`, `not_logged_in`, `reauthentication_required`, `invalid_input`; and what
 * the method throws
 */
export async function dispatch(call: Call, name: string, payload: unknown): Promise<unknown> {
  const { hooks, methods } = call.environment;
  const method = findMethod(methods, name);
  if (method === undefined) throw new RpcError("unknown_method", { detail: name });
  if (method.access !== "public" && !call.hasSession) {
    throw new Error(`A public method cannot call ${name}, which needs a session`);
  }
  const context = method.access === "public" ? call.publicContext : call.context;
  const { redactor } = call.request;
  let found: MaskedPayload | undefined;
  const mask = () => (found ??= maskSecrets(method.input, payload));
  redactor.learn(() => mask().secrets);
  const tell = () => new ToldCall(name, context, () => redactor.redact(mask().masked));
  const startedAt = performance.now();
  try {
    await hooks["storefront:context:created"]?.(tell());
    if (method.access === "user" && call.session.user === undefined) {
      throw new RpcError("not_logged_in");
    }
    if (method.requireFresh && !call.session.isFresh) {
      throw new RpcError("reauthentication_required");
    }
    const input = method.input && (await parseInput(method.input, payload));
    redactor.learn(() => maskSecrets(method.input, input).secrets);
    await hooks["storefront:rpc:before"]?.(tell());
    const answer = await method.handler(input as never, context as never);
    const output = await parseOutput(method, name, answer);
    const duration = (performance.now() - startedAt) / 1000;
    await notify(
      hooks,
      "storefront:rpc:after",
      () => Object.assign(tell(), { duration }),
      call.log,
    );
    return output;
  } catch (error) {
    await notify(hooks, "storefront:rpc:error", () => Object.assign(tell(), { error }), call.log);
    throw error;
  }
}

// --- Internal helpers ---

async function parseOutput(method: RpcMethod, name: string, answer: unknown): Promise<unknown> {
  if (method.output === undefined) return answer;
  const parsed = await parseWith(method.output, answer);
  if ("value" in parsed) return parsed.value;
  const places = parsed.faults.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new Error(`${name} answered what its output schema refuses: ${places.join("; ")}`);
}
