import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Call } from "./call.ts";
import { maxIssues, RpcError, type Issue } from "./error.ts";
import type { PublicRpcContext, RpcContext } from "./context.ts";
import type { HookEvent } from "./hooks.ts";
import { runInCall, type RpcMethod, type RpcMethods } from "./method.ts";
import type { Redactor } from "./redaction/redactor.ts";
import type { CallSession } from "./session/call-session.ts";
import { findNamedSecrets, maskSecrets } from "./redaction/secret.ts";

/** Finds a method by its name. Names such as `__proto__` are unknown. */
export function findMethod(methods: RpcMethods, name: string): RpcMethod | undefined {
  return Object.hasOwn(methods, name) ? methods[name] : undefined;
}

/**
 * Runs a method: checks its caller and its payload, and calls its handler with a context.
 * @param session absent for a public method
 * @returns the handler's result, as the output schema parses it
 * @throws RpcError `not_logged_in`, `reauthentication_required`, `invalid_input`; and any error of the method
 */
export async function dispatch(
  call: Call,
  session: CallSession | undefined,
  context: PublicRpcContext | RpcContext,
  method: RpcMethod,
  payload: unknown,
  name = call.request.method,
): Promise<unknown> {
  const { hooks, checkResult } = call.runtime;
  const { input: schema, output: outputSchema } = method;
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
    assertCaller(session, method);
    let input: unknown;
    if (schema !== undefined) {
      input = await parseInput(schema, payload);
      addSecrets(call.redactor, schema, input);
    }
    if (session !== undefined) {
      if (method.signsIn) await readRevocation(session);
      else if (method.access === "session" && !method.readOnly) recallRevocation(session);
    }
    const before = hooks["storefront:rpc:before"];
    if (before !== undefined) await before(toEvent());
    const run = method[runInCall];
    const result = await (run === undefined
      ? method.handler(input as never, context as never)
      : run(input as never, session as never, call as never, context as never));
    const output =
      outputSchema === undefined ? result : await parseOutput(outputSchema, name, result);
    if (checkResult !== undefined) await checkResult(call, name, method, output);
    if (after !== undefined) {
      const duration = (clock.monotonic() - startedAt) / 1000;
      const toAfter = () => Object.assign(toEvent(), { duration });
      await call.notify("storefront:rpc:after", toAfter);
    }
    return output;
  } catch (error) {
    const toFailure = () => Object.assign(toEvent(), { error });
    await call.notify("storefront:rpc:error", toFailure);
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

function addSecrets(redactor: Redactor, schema: StandardSchemaV1, payload: unknown): void {
  redactor.addSource(() => maskSecrets(schema, payload).secrets);
  redactor.addSource(() => findNamedSecrets(payload));
}

/** @throws RpcError `not_logged_in`; `reauthentication_required`, unless the user did that in the last `freshFor` seconds */
function assertCaller(session: CallSession | undefined, { access, requireFresh }: RpcMethod): void {
  if (access === "user" && !session?.isLoggedIn) throw new RpcError("not_logged_in");
  if (!requireFresh) return;
  const current = session?.current;
  if (current !== undefined && session?.services.sessions.isFresh(current)) return;
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
