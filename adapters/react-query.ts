/**
 * TanStack Query for React.
 * @module storefront-core/react-query
 */
import type { DataTag, MutationFunctionContext, QueryFunctionContext } from "@tanstack/react-query";
import {
  addQueries,
  type ArgumentsOf,
  type DataOf,
  type PayloadOf,
  type ResultOf,
  type RpcQueriesOptions,
  type VariablesOf,
} from "./rpc-queries.ts";

export type { RpcQueriesOptions } from "./rpc-queries.ts";

/** A typed client whose methods also have options for TanStack Query. */
export type RpcQueries<Client extends object> = {
  readonly [Name in keyof Client]: Client[Name] & QueryMethod<Client[Name]>;
};

/** The options that each method has for TanStack Query. */
export interface QueryMethod<Method> {
  /** The key of a query; without a payload, the beginning of the keys of all payloads. */
  queryKey(payload?: PayloadOf<Method>): readonly unknown[];
  /** The options of `useQuery`, `useSuspenseQuery`, or `queryClient.prefetchQuery`. */
  queryOptions(...payload: ArgumentsOf<PayloadOf<Method>>): {
    readonly queryKey: DataTag<readonly unknown[], DataOf<Method>>;
    readonly queryFn: (context: QueryFunctionContext) => Promise<DataOf<Method>>;
  };
  /** The options of `useMutation`. Methods of the basket show their change before the response arrives. */
  mutationOptions(): {
    readonly mutationKey: readonly unknown[];
    readonly mutationFn: (
      payload: VariablesOf<Method>,
      context: MutationFunctionContext,
    ) => Promise<ResultOf<Method>>;
  };
}

/**
 * Adds `queryOptions` and `mutationOptions` to each method of a client: `useQuery(rpc.getBasket.queryOptions())`.
 * The methods themselves stay callable.
 */
export function createRpcQueries<Client extends object>(
  client: Client,
  options: RpcQueriesOptions = {},
): RpcQueries<Client> {
  return addQueries(client, options) as RpcQueries<Client>;
}
