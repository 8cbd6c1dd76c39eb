import { BasketCache, type QueryCacheClient } from "./basket-cache.ts";
import { toBasketChange } from "./basket-changes.ts";

/** Options of `createRpcQueries`. */
export interface RpcQueriesOptions {
  /**
   * The beginning of all query keys. Clients of several shops with one `QueryClient` need different ones.
   * @default ["storefront"]
   */
  readonly keyPrefix?: readonly unknown[];
}

/** A method of the typed client. */
type CallMethod = (
  payload?: unknown,
  options?: { readonly signal?: AbortSignal },
) => Promise<unknown>;

/** The payload that a method of the client takes. */
export type PayloadOf<Method> = Method extends (...args: infer Args) => unknown ? Args[0] : never;

/** The arguments of `queryOptions`: the payload, if the method needs one. */
export type ArgumentsOf<Payload> = undefined extends Payload
  ? [payload?: Payload]
  : [payload: Payload];

/** The result of a mutation. */
export type ResultOf<Method> = Method extends (...args: never[]) => Promise<infer Result>
  ? Result
  : never;

/** The data of a query: TanStack Query allows no `undefined`. */
export type DataOf<Method> =
  undefined extends ResultOf<Method>
    ? Exclude<ResultOf<Method>, undefined> | null
    : ResultOf<Method>;

/** The variables of a mutation. */
export type VariablesOf<Method> =
  undefined extends PayloadOf<Method> ? PayloadOf<Method> | void : PayloadOf<Method>;

/** Adds `queryKey`, `queryOptions`, and `mutationOptions` to each method of a client. The entries give it their types. */
export function addQueries(
  client: object,
  { keyPrefix = ["storefront"] }: RpcQueriesOptions,
): object {
  const methods = new Map<string, unknown>();
  const baskets = new WeakMap<object, BasketCache>();
  const basketKey = [...keyPrefix, "getBasket"];

  function basketOf(queryClient: object): BasketCache {
    const known = baskets.get(queryClient);
    const basket = known ?? new BasketCache(queryClient as QueryCacheClient, basketKey);
    baskets.set(queryClient, basket);
    return basket;
  }

  function extend(name: string, call: CallMethod): unknown {
    const queryKey = (payload?: unknown) =>
      payload === undefined ? [...keyPrefix, name] : [...keyPrefix, name, payload];
    return Object.assign((...args: Parameters<CallMethod>) => call(...args), {
      queryKey,
      queryOptions: (payload?: unknown) => ({
        queryKey: queryKey(payload),
        async queryFn(context: {
          readonly client: object;
          readonly queryKey: readonly unknown[];
          readonly signal: AbortSignal;
        }) {
          const { client: queryClient, queryKey: key, signal } = context;
          // The payload of the key: Vue resolves refs and getters in a key.
          const send = () => call(key[keyPrefix.length + 1], { signal });
          const result = await (name === "getBasket" ? basketOf(queryClient).read(send) : send());
          // TanStack allows no `undefined`.
          return result ?? null;
        },
      }),
      mutationOptions: () => ({
        mutationKey: [...keyPrefix, name],
        mutationFn(payload: unknown, { client: queryClient }: { readonly client: object }) {
          const change = toBasketChange(name, payload);
          if (change === undefined) return call(payload);
          return basketOf(queryClient).change(change, () => call(payload));
        },
      }),
    });
  }

  return new Proxy(client, {
    get(target, name) {
      const call: unknown = Reflect.get(target, name);
      if (typeof name !== "string" || name in target || typeof call !== "function") return call;
      const known = methods.get(name) ?? extend(name, call as CallMethod);
      methods.set(name, known);
      return known;
    },
  });
}
