import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { PublicRpcContext, RpcContext, UserRpcContext } from "./context.ts";
import { assertDefinition } from "./definition.ts";
import { assertSecretsFindable } from "./redaction/secret.ts";
import { toVerb, type Access, type RpcMethod, type Verb } from "./method.ts";

/** The context of a method with this access. */
export type ContextOf<A extends Access> = A extends "public"
  ? PublicRpcContext
  : A extends "user"
    ? UserRpcContext
    : RpcContext;

/**
 * The schema of a payload or a result, if there is one. The types below compare it with `undefined`: without
 * `strictNullChecks`, which some frameworks leave off, `undefined` has the type of every schema.
 */
export type Schema = StandardSchemaV1 | undefined;

/** The parsed payload, which a handler gets. */
export type InputOf<I extends Schema> = I extends undefined
  ? undefined
  : StandardSchemaV1.InferOutput<I & StandardSchemaV1>;

/** The result that a handler returns, before the schema of the result parses it. */
export type OutputOf<O extends Schema> = O extends undefined
  ? unknown
  : StandardSchemaV1.InferInput<O & StandardSchemaV1>;

/** The definition of a method. */
export interface RpcMethodDefinition<
  A extends Access,
  I extends Schema,
  O extends Schema,
  Output extends OutputOf<O>,
  V extends Verb = "POST",
> {
  /** @default "session" */
  readonly access?: A;
  /**
   * The HTTP method that the method accepts in addition to POST. With GET, every change of the session, the basket, the
   * wishlist, or the accounts throws, and caches never store a response with a session.
   * @default "GET" for a `public` method with `readOnly: true`, else "POST"
   */
  readonly verb?: V;
  /**
   * Declares that the method changes nothing. With the verb GET, this is the default. If the method is also `public`,
   * it responds to GET, and caches can store its results.
   */
  readonly readOnly?: V extends "GET" ? true : V extends "POST" ? boolean : false;
  /** Rejects the call unless the user logged in, or called `reauthenticate`, in the last `session.freshFor` seconds. */
  readonly requireFresh?: A extends "user" ? (V extends "GET" ? never : boolean) : never;
  /**
   * Declares that the method authenticates the caller and begins a session, as `login` does. It also runs if the
   * session ID was replaced or ended a moment ago. It fails if all of the user's sessions end while it runs.
   */
  readonly signsIn?: A extends "session" ? (V extends "GET" ? never : boolean) : never;
  /** The schema of the payload: any Standard Schema. Without it, the handler gets no payload. */
  readonly input?: I;
  /** The schema of the result. A result that doesn't match is an error of the server (500). */
  readonly output?: O;
  /** Returns a JSON value, nothing, or a web `Response`; throws `RpcError` to reject the call. */
  handler(input: InputOf<I>, context: ContextOf<A>): Output | Promise<Output>;
}

/** The method that a definition makes. */
export type DefinedMethod<A extends Access, I extends Schema, O extends Schema, Output> = RpcMethod<
  I extends undefined ? undefined : StandardSchemaV1.InferInput<I & StandardSchemaV1>,
  O extends undefined ? Awaited<Output> : StandardSchemaV1.InferOutput<O & StandardSchemaV1>,
  InputOf<I>,
  ContextOf<A>
>;

/**
 * Defines a method. TypeScript infers the types of its payload, its result, and its context.
 * @throws TypeError if an option is misspelled or invalid, or if options contradict each other, for example `signsIn` with
 * the verb GET
 */
export function defineRpcMethod<
  A extends Access = "session",
  I extends Schema = undefined,
  O extends Schema = undefined,
  Output extends OutputOf<O> = never,
  V extends Verb = "POST",
>(definition: RpcMethodDefinition<A, I, O, Output, V>): DefinedMethod<A, I, O, Output> {
  assertDefinition(definition);
  const { access = "session", input, output, handler } = definition;
  if (input !== undefined) assertSecretsFindable(input);
  const { requireFresh = false, signsIn = false } = definition;
  const verb = toVerb({ ...definition, access });
  const readOnly = verb === "GET" || definition.readOnly === true;
  return { access, verb, readOnly, requireFresh, signsIn, input, output, handler };
}
