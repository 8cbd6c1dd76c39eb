import type { Call } from "../call.ts";
import {
  defineRpcMethod,
  type ContextOf,
  type DefinedMethod,
  type InputOf,
  type OutputOf,
  type RpcMethodDefinition,
  type Schema,
} from "../define-method.ts";
import { assertDefinition } from "../definition.ts";
import { runInCall, type Access, type Verb } from "../method.ts";
import { runChange, runRead } from "./call-basket.ts";
import type { CallSession } from "../session/call-session.ts";
import type { Grant, LoginVisit } from "./visit.ts";
import { createPublicVisit } from "./visitor.ts";

/** The definition of a method that needs the commerce system. */
export interface CommerceMethodDefinition<
  A extends Access,
  I extends Schema,
  O extends Schema,
  Output extends OutputOf<O>,
  G extends Grant,
  V extends Verb = "POST",
> extends Omit<RpcMethodDefinition<A, I, O, Output, V>, "handler" | "signsIn" | "readOnly"> {
  /**
   * Declares that the method changes nothing, as with the verb GET. Otherwise, it runs under the lease of the visitor's
   * basket, and begins a session and a grant for a guest. With the access `public`, it does neither.
   */
  readonly readOnly?: RpcMethodDefinition<A, I, O, Output, V>["readOnly"];
  /** Returns a JSON value, nothing, or a web `Response`; throws `RpcError` to reject the call. */
  handler(input: InputOf<I>, visit: LoginVisit<G>, context: ContextOf<A>): Output | Promise<Output>;
}

/**
 * Defines a method that needs the commerce system of its shop, for example a checkout. `visit` has the visitor's grant,
 * and a `fetch` to the system. In a shop without a commerce system, calls fail with status 500.
 * @throws TypeError as {@link defineRpcMethod}
 */
export function defineCommerceMethod<
  A extends Access = "session",
  I extends Schema = undefined,
  O extends Schema = undefined,
  Output extends OutputOf<O> = never,
  G extends Grant = Grant,
  V extends Verb = "POST",
>(definition: CommerceMethodDefinition<A, I, O, Output, G, V>): DefinedMethod<A, I, O, Output> {
  assertDefinition(definition);
  const { verb, readOnly, handler } = definition;
  const isRead = readOnly === true || verb === "GET";
  return defineCallMethod(
    definition,
    async (input, session: CallSession | undefined, call, context) => {
      if (call.services.commerce === undefined) {
        throw new Error(
          `The method ${call.request.method} needs a commerce system, and the shop ${call.services.shop.shopId} has none. Set its key commerce.`,
        );
      }
      const handle = async (visit: LoginVisit) => handler(input, visit as LoginVisit<G>, context);
      if (session === undefined) return handle(createPublicVisit(call));
      // A read has no use for setGrant, which its visit has, too.
      return isRead
        ? runRead(session, (visit) => handle(visit as LoginVisit))
        : runChange(session, handle);
    },
  );
}

/** Defines a method of the storefront itself that needs the call: contexts lead to no secret. */
export function defineCallMethod<
  A extends Access,
  I extends Schema,
  O extends Schema,
  Output extends OutputOf<O>,
  V extends Verb = "POST",
>(
  definition: Omit<RpcMethodDefinition<A, I, O, Output, V>, "handler">,
  run: (
    input: InputOf<I>,
    session: CallSession,
    call: Call,
    context: ContextOf<A>,
  ) => Promise<Output>,
): DefinedMethod<A, I, O, Output> {
  const method = defineRpcMethod<A, I, O, Output, V>({ ...definition, handler: failWithoutCall });
  return { ...method, [runInCall]: run };
}

// --- Internal helpers ---

function failWithoutCall(): never {
  throw new Error("This method needs a call. Use context.callRpc to call it from another method.");
}
