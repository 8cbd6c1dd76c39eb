import * as z from "zod";
import { RpcError, type Grant, type Visit } from "../server/index.ts";

/** The token of a Vendure session, of a guest or a customer. */
export interface VendureGrant extends Grant {
  readonly token: string;
}

export type VendureVisit = Visit<VendureGrant>;

/** Settings of `vendure`. */
export interface VendureOptions {
  /** The URL of the Shop API, for example `http://vendure:3000/shop-api`. */
  readonly url: string;
  /** The token of the shop's channel. */
  readonly channel: string;
}

/** One field of the Shop API, with the alias `r`, and the shape of its result. */
interface Operation<T> {
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  /** An error result that it doesn't accept is thrown as an RpcError. */
  readonly result: z.ZodType<T>;
}

export type VendureRequest = ReturnType<typeof createVendureRequest>;

/** Creates the functions that send operations to Vendure. */
export function createVendureRequest({ url, channel }: VendureOptions) {
  /**
   * @param token of the session in which the operation runs. Default: a new session, if the operation needs one
   * @returns the result, and the token if Vendure issued or cleared one; a cleared token is empty
   */
  async function send<T>(
    visit: Pick<VendureVisit, "shop" | "fetch">,
    { query, variables, result }: Operation<T>,
    token: string | undefined,
  ): Promise<{ readonly result: T; readonly issued: string | undefined }> {
    const { locale, currency } = visit.shop;
    const target = new URL(url);
    target.searchParams.set("languageCode", new Intl.Locale(locale).language);
    target.searchParams.set("currencyCode", currency);
    const response = await visit.fetch(target, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "vendure-token": channel,
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ query, variables }),
    });
    const issued = response.headers.get("vendure-auth-token") ?? undefined;
    const body = responseBody.safeParse(await response.json().catch(() => undefined));
    if (!body.success) throw failed(`a body that isn't GraphQL, with status ${response.status}`);
    const { errors: [error] = [], data } = body.data;
    const hasEnded = token !== undefined && issued !== undefined && issued !== token;
    if (error !== undefined) throw toError(error, hasEnded);
    const parsed = result.safeParse(data?.r);
    if (parsed.success) return { result: parsed.data, issued };
    const rejected = errorResult.safeParse(data?.r);
    throw rejected.success ? toRejection(rejected.data) : failed(parsed.error.message);
  }

  return {
    send,
    /** Runs an operation in the visitor's session. @throws RpcError `session_ended` if Vendure has ended that session */
    async request<T>(visit: VendureVisit, operation: Operation<T>): Promise<T> {
      const token = visit.grant?.token;
      const { result, issued } = await send(visit, operation, token);
      // Vendure replaces a token that it doesn't know, and runs the operation in the new session.
      if (token !== undefined && issued !== undefined && issued !== token) throw sessionEnded();
      return result;
    },
  };
}

/** @returns the error of a response that isn't one of Vendure's Shop API */
export function failed(found: string): RpcError {
  const cause = new Error(`Vendure sent ${found}`);
  return new RpcError("commerce_failed", { cause });
}

// --- Internal helpers ---

const forbidden = { status: 403, title: "The commerce system doesn't allow this" };

const graphqlError = z.object({
  message: z.unknown(),
  extensions: z.object({ code: z.string().optional() }).optional(),
});
const responseBody = z.object({
  errors: z.array(graphqlError).optional(),
  data: z.looseObject({ r: z.unknown() }).nullish(),
});
const errorResult = z.looseObject({
  errorCode: z.string(),
  message: z.string(),
  detail: z.string().optional(),
});

/** The codes that have another name here. */
const codes: Readonly<Record<string, string>> = {
  EMAIL_ADDRESS_CONFLICT_ERROR: "email_taken",
  NOT_VERIFIED_ERROR: "email_not_verified",
};

/** The status of an error result. Others have 422. */
const statuses: Readonly<Record<string, number>> = {
  ALREADY_LOGGED_IN_ERROR: 409,
  COUPON_REMOVED_DURING_CHECKOUT_ERROR: 409,
  EMAIL_ADDRESS_CONFLICT_ERROR: 409,
  GUEST_CHECKOUT_ERROR: 403,
  INVALID_CREDENTIALS_ERROR: 401,
  NO_ACTIVE_ORDER_ERROR: 409,
  NOT_VERIFIED_ERROR: 403,
  ORDER_MODIFICATION_ERROR: 409,
  ORDER_PAYMENT_STATE_ERROR: 409,
  ORDER_STATE_TRANSITION_ERROR: 409,
  PAYMENT_DECLINED_ERROR: 402,
  PAYMENT_FAILED_ERROR: 402,
};

/** An error result in the customer's language, for example `coupon_code_invalid`. */
function toRejection(found: z.output<typeof errorResult>): RpcError {
  const { errorCode, message, detail, __typename: _, ...data } = found;
  return new RpcError(codes[errorCode] ?? errorCode.replace(/_ERROR$/, "").toLowerCase(), {
    status: statuses[errorCode] ?? 422,
    title: message,
    detail,
    ...(Object.keys(data).length > 0 && { data }),
  });
}

/** An error of GraphQL, for example for an ID that doesn't exist. */
function toError(error: z.output<typeof graphqlError>, hasEnded: boolean): RpcError {
  if (hasEnded) return sessionEnded();
  const { message, extensions: { code } = {} } = error;
  const cause = new Error(`Vendure rejected the operation: ${JSON.stringify(message)}`);
  if (code === "ENTITY_NOT_FOUND") return new RpcError("unknown_item", { cause });
  if (code === "FORBIDDEN") return new RpcError("forbidden", { ...forbidden, cause });
  // The message about a wrong currency or language isn't a string. Those come from the config.
  if (code === "USER_INPUT_ERROR" && typeof message === "string") {
    return new RpcError("invalid_input", { detail: message, cause });
  }
  return new RpcError("commerce_failed", { cause });
}

function sessionEnded(): RpcError {
  return new RpcError("session_ended", { detail: "The commerce system has ended the session" });
}
