import type { StandardSchemaV1 } from "@standard-schema/spec";
import { holdsSecrets } from "./redaction/secret.ts";

/**
 * The callers of a method, and whether it has a session:
 * `public` anyone, without one; `session` guests and users; `user` logged-in users only.
 */
export type Access = "public" | "session" | "user";

/**
 * The HTTP methods that a method can accept. Each method accepts POST. Browsers, caches, and proxies may send a GET
 * again, or before a visitor clicks a link, so a method with GET changes nothing.
 */
export type Verb = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** The header `Allow` of a method, by its verb (RFC 9110, 10.2.1). */
export const allowedVerbs: Readonly<Record<Verb, string>> = {
  GET: "GET, HEAD, POST",
  POST: "POST",
  PUT: "POST, PUT",
  PATCH: "PATCH, POST",
  DELETE: "DELETE, POST",
};

/**
 * A method as the server runs it. A client sends `Payload` and receives `Output`; the handler takes `Input`, the parsed
 * payload, and `Context`.
 */
export interface RpcMethod<Payload = unknown, Output = unknown, Input = never, Context = never> {
  readonly access: Access;
  /** The HTTP method that the server accepts in addition to POST. */
  readonly verb: Verb;
  readonly readOnly: boolean;
  readonly requireFresh: boolean;
  readonly signsIn: boolean;
  readonly input: StandardSchemaV1 | undefined;
  readonly output: StandardSchemaV1 | undefined;
  readonly handler: (input: Input, context: Context) => unknown;
  /** Runs instead of the handler, for methods that need more than a context. */
  readonly [runInCall]?:
    | ((input: never, session: never, call: never, context: never) => unknown)
    | undefined;
  /** Types only; absent at run time. */
  readonly "~types"?: { readonly payload: Payload; readonly output: Output };
}

/** Methods by name. */
export type RpcMethods = Readonly<Record<string, RpcMethod>>;

/**
 * The property of a method's result that holds its JSON, which the server sends as it is. It is not enumerable,
 * because a changed copy of the result has other JSON.
 */
export const jsonText = Symbol("JSON text");

/** The property of a method whose function gets the call itself. Its values lead to secrets, so contexts don't have it. */
export const runInCall = Symbol("run in call");

/**
 * Chooses the verb of a method: the defined one, else GET for a `public` method that changes nothing, else POST.
 * @throws TypeError if the definition contradicts its verb
 */
export function toVerb(definition: {
  readonly verb?: Verb | undefined;
  readonly access: Access;
  readonly readOnly?: boolean | undefined;
  readonly requireFresh?: boolean | undefined;
  readonly signsIn?: boolean | undefined;
  readonly input?: StandardSchemaV1 | undefined;
}): Verb {
  const { verb, access, readOnly, requireFresh, signsIn, input } = definition;
  if (verb === undefined) return access === "public" && readOnly === true ? "GET" : "POST";
  if (!Object.keys(allowedVerbs).includes(verb)) {
    throw new TypeError(
      `verb: received ${JSON.stringify(verb)}. Expected GET, POST, PUT, PATCH, or DELETE`,
    );
  }
  if (verb !== "GET") {
    const isRead = verb !== "POST" && readOnly === true;
    if (isRead) throw contradiction(verb, "readOnly: true", "Use the verb GET, or no verb");
    return verb;
  }
  if (readOnly === false) throw contradiction(verb, "readOnly: false", "A GET changes nothing");
  if (signsIn === true) throw contradiction(verb, "signsIn: true", "A GET changes nothing");
  if (requireFresh === true) {
    throw contradiction(verb, "requireFresh: true", "Use POST, because a link can open a GET");
  }
  if (input !== undefined && holdsSecrets(input)) {
    const advice = "The payload of a GET is in the URL, which logs and histories store. Use POST";
    throw contradiction(verb, "a secret() in its input", advice);
  }
  return verb;
}

// --- Internal helpers ---

function contradiction(verb: Verb, option: string, advice: string): TypeError {
  return new TypeError(`A method with the verb ${verb} can't have ${option}. ${advice}`);
}
