import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Call } from "./call.ts";
import { maxIssues, RpcError } from "./error.ts";
import { notify, LazyHookEvent } from "./hooks.ts";
import type { RpcMethod, RpcMethods } from "./method.ts";
import type { Redactor } from "./redaction/redactor.ts";
import { parseInput, parseWith } from "./schema.ts";
import { maskSecrets } from "./redaction/secret.ts";
import { findNamedSecrets } from "./redaction/telling-names.ts";

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
  const { hooks, methods } = call.runtime;
  const method = findMethod(methods, name);
  if (method === undefined) throw new RpcError("unknown_method", { detail: name });
  if (method.access !== "public" && !call.hasSession) {
    throw new Error(`A public method cannot call ${name}, which needs a session`);
  }
  const context = method.access === "public" ? call.publicContext : call.context;
  const { redactor } = call.request;
  const { input: schema } = method;
  if (schema !== undefined) learnSecrets(redactor, schema, payload);
  const tell = () => new LazyHookEvent(name, context, schema, payload, redactor);
  const startedAt = performance.now();
  // What is not there is not waited for, or the turns of waiting would cost as much as the method.
  try {
    const created = hooks["storefront:context:created"];
    if (created !== undefined) await created(tell());
    if (method.access === "user" && !call.session.isLoggedIn) {
      throw new RpcError("not_logged_in");
    }
    if (method.requireFresh && !call.session.isFresh) {
      throw new RpcError("reauthentication_required");
    }
    let input: unknown;
    if (schema !== undefined) {
      input = await parseInput(schema, payload);
      learnSecrets(redactor, schema, input);
    }
    if (method.signsIn) await call.session.signInMark.read();
    else if (method.access === "session" && !method.readOnly) call.session.signInMark.recall();
    const before = hooks["storefront:rpc:before"];
    if (before !== undefined) await before(tell());
    const answer = await method.handler(input as never, context as never);
    const { output: promised } = method;
    const output = promised === undefined ? answer : await parseOutput(promised, name, answer);
    if (hooks["storefront:rpc:after"] !== undefined) {
      const duration = (performance.now() - startedAt) / 1000;
      const tellAfter = () => Object.assign(tell(), { duration });
      await notify(hooks, "storefront:rpc:after", tellAfter, call.log);
    }
    return output;
  } catch (error) {
    const tellError = () => Object.assign(tell(), { error });
    await notify(hooks, "storefront:rpc:error", tellError, call.log);
    throw error;
  }
}

// --- Internal helpers ---

function learnSecrets(redactor: Redactor, schema: StandardSchemaV1, payload: unknown): void {
  redactor.addSource(() => maskSecrets(schema, payload).secrets);
  redactor.addSource(() => findNamedSecrets(payload));
}

async function parseOutput(
  schema: StandardSchemaV1,
  name: string,
  answer: unknown,
): Promise<unknown> {
  const parsed = await parseWith(schema, answer);
  if ("value" in parsed) return parsed.value;
  const { issues } = parsed;
  const places = issues
    .slice(0, maxIssues)
    .map(({ path, message }) => `${path.join(".")}: ${message}`);
  const more = issues.length > maxIssues ? `; and ${issues.length - maxIssues} more` : "";
  throw new Error(`${name} answered what its output schema refuses: ${places.join("; ")}${more}`);
}
