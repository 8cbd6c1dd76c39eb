import * as z from "zod";
import { RpcError, type Grant, type Visit } from "../server/index.ts";

/** A guest's grant has the ID of a cart, a customer's grant a token. */
export interface MedusaGrant extends Grant {
  readonly cartId?: string;
  /** The JWT of the customer. */
  readonly token?: string;
}

export type MedusaVisit = Visit<MedusaGrant>;

/** The parts of a visit that a request needs. */
type MedusaConnection = Pick<MedusaVisit, "fetch"> & Partial<Pick<MedusaVisit, "grant">>;

/** Settings of `medusa`. */
export interface MedusaOptions {
  /** The URL of the Medusa server, for example `http://medusa:9000`. */
  readonly url: string;
  /** The publishable API key of the shop's sales channel. */
  readonly publishableKey: string;
  /** The region of new carts. It determines prices, currency, and taxes. */
  readonly regionId: string;
}

/** One request to Medusa's API. */
export interface Operation<T> {
  readonly path: string;
  /** Default: GET without a body, POST with one. */
  readonly method?: "DELETE";
  readonly body?: object;
  /** Default: the customer's. */
  readonly token?: string;
  /** The shape of the response. Without it, the response is not read. */
  readonly result?: z.ZodType<T>;
}

/** Medusa's response, if its status is 400 or more. */
export interface Rejection extends z.output<typeof problem> {
  readonly status: number;
}

export type MedusaRequest = ReturnType<typeof createMedusaRequest>;

/** Creates the functions that send requests to Medusa. */
export function createMedusaRequest({ url, publishableKey }: MedusaOptions) {
  const base = url.replace(/\/+$/, "");

  async function send<T>(
    visit: MedusaConnection,
    { path, body, method, token = visit.grant?.token, result }: Operation<T>,
  ): Promise<
    | { readonly result: T; readonly rejection?: undefined }
    | { readonly result?: undefined; readonly rejection: Rejection }
  > {
    const response = await visit.fetch(base + path, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers: {
        "content-type": "application/json",
        "x-publishable-api-key": publishableKey,
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const { ok, status } = response;
    if (!ok) return { rejection: { status, ...problem.parse(await response.json()) } };
    if (result === undefined) return { result: undefined as T };
    const parsed = result.safeParse(await response.json());
    if (parsed.success) return { result: parsed.data };
    throw failed(`an unexpected body: ${z.prettifyError(parsed.error)}`);
  }

  return {
    send,
    /** @throws RpcError `session_ended` if Medusa rejects the grant; `commerce_failed` if it rejects the request */
    async request<T>(visit: MedusaConnection, operation: Operation<T>): Promise<T> {
      const { result, rejection } = await send(visit, operation);
      if (rejection === undefined) return result;
      throw toError(rejection);
    },
  };
}

export function toError({ status, message }: Rejection): RpcError {
  return status === 401 ? sessionEnded() : failed(`status ${status}: ${message}`);
}

/** The error of a visit whose grant Medusa doesn't accept. */
export function sessionEnded(): RpcError {
  return new RpcError("session_ended", { detail: "The commerce system has ended the session" });
}

// --- Internal helpers ---

const problem = z
  .object({ type: z.string(), code: z.string(), message: z.string() })
  .partial()
  .catch({});

function failed(found: string): RpcError {
  const cause = new Error(`Medusa sent ${found}`);
  const title = "The commerce system rejected the request";
  return new RpcError("commerce_failed", { status: 502, title, cause });
}
