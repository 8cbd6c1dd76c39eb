import type { StandardSchemaV1 } from "@standard-schema/spec";
import { describeError, type Logger } from "../shared/log.ts";
import type { ShopUser } from "../storage/sessions/session-record.ts";
import type { PublicRpcContext, RpcContext } from "./context.ts";
import type { MergeReport } from "./lists/transfer.ts";
import type { Redactor } from "./redaction/redactor.ts";
import { maskSecrets } from "./redaction/secret.ts";
import type { PublicShop } from "./shop.ts";

/** What a hook is told of a call. */
export interface HookEvent {
  readonly method: string;
  readonly context: PublicRpcContext | RpcContext;
  /**
   * What the call came with, as it may be written down: `[redacted]` stands for what `secret` marks,
   * and for the request's credentials. `undefined` where the method has no schema that can be read: none
   * at all, or one of another vendor than zod.
   */
  readonly payload: unknown;
}

/** What a deployment may do around calls. A hook may be asynchronous; the call waits for it. */
export interface Hooks {
  /** A call has its context. Throwing refuses the call. */
  readonly "storefront:context:created"?: (call: HookEvent) => void | Promise<void>;
  /** A method is about to run, its payload is valid. Throwing refuses the call. */
  readonly "storefront:rpc:before"?: (call: HookEvent) => void | Promise<void>;
  /** A method has run; `duration` in seconds. */
  readonly "storefront:rpc:after"?: (
    call: HookEvent & { readonly duration: number },
  ) => void | Promise<void>;
  /** A method, or what comes before it, has thrown. */
  readonly "storefront:rpc:error"?: (
    call: HookEvent & { readonly error: unknown },
  ) => void | Promise<void>;
  /** A session was bound to a user. */
  readonly "storefront:afterLogin"?: (login: {
    readonly context: RpcContext;
    readonly user: ShopUser;
    readonly merge: MergeReport;
  }) => void | Promise<void>;
  /** A user's session was ended by `destroySession`. */
  readonly "storefront:afterLogout"?: (logout: {
    readonly context: RpcContext;
    readonly user: ShopUser;
  }) => void | Promise<void>;
  /**
   * Somebody used a session's id after it had been replaced: the client or a thief, nobody can tell. The
   * session has been ended.
   */
  readonly "session.reuse_detected"?: (reuse: {
    readonly shop: PublicShop;
    readonly userId: string | number;
    /** The session's, as `listSessions` named it. */
    readonly handle: string;
    /** Whose call it was. */
    readonly ip: string | undefined;
    readonly log: Logger;
  }) => void | Promise<void>;
}

/** Names of the hooks, in the order of a call. */
export const hookNames = [
  "storefront:context:created",
  "storefront:rpc:before",
  "storefront:rpc:after",
  "storefront:rpc:error",
  "storefront:afterLogin",
  "storefront:afterLogout",
  "session.reuse_detected",
] as const satisfies readonly (keyof Hooks)[];

/** Creates the event of a call. Its payload is redacted when a hook reads it. */
export function createHookEvent(
  method: string,
  context: PublicRpcContext | RpcContext,
  redactor: Redactor,
  schema: StandardSchemaV1 | undefined,
  payload: unknown,
): HookEvent {
  return {
    method,
    context,
    get payload() {
      return redactor.redact(maskSecrets(schema, payload).masked);
    },
  };
}

/**
 * Runs a hook that comes too late to refuse anything: its errors are logged.
 * @param toEvent gives what it is told; not asked where there is no such hook
 */
export async function notify<Name extends keyof Hooks>(
  hooks: Hooks,
  name: Name,
  toEvent: () => Parameters<NonNullable<Hooks[Name]>>[0],
  log: Logger,
): Promise<void> {
  const hook = hooks[name] as ((event: unknown) => void | Promise<void>) | undefined;
  if (hook === undefined) return;
  try {
    await hook(toEvent());
  } catch (error) {
    log.error(`The hook ${name} failed`, { error: describeError(error) });
  }
}
