import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Call } from "./call.ts";
import { maxIssues, RpcError, type Issue } from "./error.ts";
import { notify, type HookEvent } from "./hooks.ts";
import { runInCall, type RpcMethod, type RpcMethods } from "./method.ts";
import type { Redactor } from "./redaction/redactor.ts";
import type { CallSession } from "./session/call-session.ts";
import { findNamedSecrets, maskSecrets } from "./redaction/secret.ts";

/** Finds a method by its name. Names such as `__proto__` are unknown. */
export function findMethod(methods: RpcMethods, name: string): RpcMethod | undefined {
  return Object.hasOwn(methods, name) ? methods[name] : undefined;
}

/**
 * Runs a method for another method of the same call. A public method runs without the session, and with a copy of the
 * payload: its `cached` must not store anything that depends on the visitor.
 * @throws RpcError `unknown_method`; TypeError if the payload can't be copied; and the errors of {@link dispatch}
 */
export async function callRpc(call: Call, name: string, payload: unknown): Promise<unknown> {
  const method = findMethod(call.services.methods, name);
  if (method === undefined) throw new RpcError("unknown_method", { detail: name });
  if (call.hasSession && method.access === "public") {
    return dispatch(call.withoutSession, method, copyPayload(name, payload), name);
  }
  if (method.access !== "public" && !call.hasSession) {
    throw new Error(`A public method cannot call ${name}, which needs a session`);
  }
  return dispatch(call, method, payload, name);
}

/**
 * Runs a method: checks its caller and its payload, and calls its handler with a context.
 * @returns the handler's result, as the output schema parses it
 * @throws RpcError `not_logged_in`, `reauthentication_required`, `invalid_input`; and any error of the method
 */
export async function dispatch(
  call: Call,
  method: RpcMethod,
  payload: unknown,
  name = call.request.method,
): Promise<unknown> {
  const { hooks, checkResult } = call.runtime;
  const { access, input: schema, output: outputSchema } = method;
  const context = access === "public" ? call.publicContext : call.context;
  if (schema !== undefined) addSecrets(call.redactor, schema, payload);
  const toEvent = (): HookEvent => ({
    method: name,
    context,
    get payload() {
      return call.redactor.redact(maskSecrets(schema, payload).masked);
    },
  });
  const { clock } = call.services;
  const after = hooks["storefront:rpc:after"];
  const startedAt = after === undefined ? 0 : clock.monotonic();
  try {
    // Not awaiting an absent hook saves as much time as a small method takes.
    const created = hooks["storefront:context:created"];
    if (created !== undefined) await created(toEvent());
    if (access === "user" && !call.session.isLoggedIn) throw new RpcError("not_logged_in");
    if (method.requireFresh) assertFresh(call.session);
    let input: unknown;
    if (schema !== undefined) {
      input = await parseInput(schema, payload);
      addSecrets(call.redactor, schema, input);
    }
    if (method.signsIn) await readRevocation(call.session);
    else if (access === "session" && !method.readOnly) recallRevocation(call.session);
    const before = hooks["storefront:rpc:before"];
    if (before !== undefined) await before(toEvent());
    const run = method[runInCall];
    const result = await (run === undefined
      ? method.handler(input as never, context as never)
      : run(input as never, call as never));
    const output =
      outputSchema === undefined ? result : await parseOutput(outputSchema, name, result);
    if (checkResult !== undefined) await checkResult(call, name, method, output);
    if (after !== undefined) {
      const duration = (clock.monotonic() - startedAt) / 1000;
      const toAfter = () => Object.assign(toEvent(), { duration });
      await notify(call, "storefront:rpc:after", toAfter);
    }
    return output;
  } catch (error) {
    const toFailure = () => Object.assign(toEvent(), { error });
    await notify(call, "storefront:rpc:error", toFailure);
    throw error;
  }
}

/** Checks a client's payload against any Standard Schema. @throws RpcError `invalid_input` */
export async function parseInput<S extends StandardSchemaV1>(
  schema: S,
  payload: unknown,
): Promise<StandardSchemaV1.InferOutput<S>> {
  const result = await schema["~standard"].validate(payload);
  if (result.issues === undefined) return result.value as StandardSchemaV1.InferOutput<S>;
  throw new RpcError("invalid_input", { errors: result.issues.map(toIssue) });
}

// --- Internal helpers ---

/** Copies data, and rejects functions: one could read the session. */
function copyPayload(name: string, payload: unknown): unknown {
  try {
    return structuredClone(payload);
  } catch (cause) {
    throw new TypeError(
      `The payload of the public method ${name} cannot be copied. Pass plain data, without functions`,
      { cause },
    );
  }
}

function addSecrets(redactor: Redactor, schema: StandardSchemaV1, payload: unknown): void {
  redactor.addSource(() => maskSecrets(schema, payload).secrets);
  redactor.addSource(() => findNamedSecrets(payload));
}

/** The user must have authenticated within the last `freshFor` seconds. */
function assertFresh({ current, services }: CallSession): void {
  if (current !== undefined && services.sessions.isFresh(current)) return;
  throw new RpcError("reauthentication_required");
}

/** Reads the last revocation from the storage, before a method with `signsIn` authenticates the caller. */
async function readRevocation(session: CallSession): Promise<void> {
  session.lastRevocation ??= await session.services.sessions.users.generations.revocations.read();
}

/** Uses the last revocation that this process has cached, for other methods: this costs no command. */
function recallRevocation(session: CallSession): void {
  if (session.lastRevocation !== undefined) return;
  const known = session.services.sessions.users.generations.revocations.recall();
  session.lastRevocation = known instanceof Promise ? known.catch(() => undefined) : known;
}

async function parseOutput(
  schema: StandardSchemaV1,
  name: string,
  result: unknown,
): Promise<unknown> {
  const parsed = await schema["~standard"].validate(result);
  if (parsed.issues === undefined) return parsed.value;
  const { length } = parsed.issues;
  const found = parsed.issues
    .slice(0, maxIssues)
    .map(toIssue)
    .map(({ path, message }) => `${path.join(".")}: ${message}`);
  const more = length > maxIssues ? `; and ${length - maxIssues} more` : "";
  throw new Error(
    `The method ${name} returned an invalid result. Its output schema reports: ${found.join("; ")}${more}`,
  );
}

function toIssue({ path = [], message }: StandardSchemaV1.Issue): Issue {
  const keys = path.map((segment) => (typeof segment === "object" ? segment.key : segment));
  return { path: keys.map((key) => (typeof key === "number" ? key : String(key))), message };
}
