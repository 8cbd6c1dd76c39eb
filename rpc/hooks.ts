import type { Logger } from "../shared/log.ts";
import type { ShopUser } from "../storage/sessions/session-record.ts";
import type { PublicRpcContext, RpcContext } from "./context.ts";
import type { MergeReport } from "./lists/transfer.ts";
import type { PublicShop } from "./shop.ts";

/** The event of a call, for a hook. */
export interface HookEvent {
  readonly method: string;
  readonly context: PublicRpcContext | RpcContext;
  /**
   * The payload, with `[redacted]` instead of its secrets and of the request's credentials. `undefined` if the method
   * has no schema, or a schema that isn't zod's.
   */
  readonly payload: unknown;
}

/** Functions that run around calls. A hook can be asynchronous; the call waits for it. */
export interface Hooks {
  /** Runs when a call has its context. An error rejects the call. */
  readonly "storefront:context:created"?: (call: HookEvent) => void | Promise<void>;
  /** Runs before a method, after the check of its payload. An error rejects the call. */
  readonly "storefront:rpc:before"?: (call: HookEvent) => void | Promise<void>;
  /** Runs after a method. `duration` is in seconds. */
  readonly "storefront:rpc:after"?: (
    call: HookEvent & { readonly duration: number },
  ) => void | Promise<void>;
  /** Runs after a method, or a check before it, has thrown. */
  readonly "storefront:rpc:error"?: (
    call: HookEvent & { readonly error: unknown },
  ) => void | Promise<void>;
  /** Runs after a login. */
  readonly "storefront:afterLogin"?: (login: {
    readonly context: RpcContext;
    readonly user: ShopUser;
    readonly merge: MergeReport;
  }) => void | Promise<void>;
  /** Runs after `destroySession` ended a user's session. */
  readonly "storefront:afterLogout"?: (logout: {
    readonly context: RpcContext;
    readonly user: ShopUser;
  }) => void | Promise<void>;
  /**
   * Runs after a client used a replaced session ID after its grace period, which can mean session theft. The server
   * has ended the session.
   */
  readonly "session.reuse_detected"?: (reuse: {
    readonly shop: PublicShop;
    readonly userId: string | number;
    /** The handle of the session, as in `listSessions`. */
    readonly handle: string;
    /** The IP address of the client that used the old ID. */
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
