import type { BasketView } from "../server/index.ts";
import type { BasketChange } from "./basket-changes.ts";

/** The parts of TanStack's `QueryClient` that a basket needs. */
export interface QueryCacheClient {
  getQueryData(queryKey: readonly unknown[]): unknown;
  setQueryData(queryKey: readonly unknown[], data: unknown): unknown;
  invalidateQueries(filters: { readonly queryKey: readonly unknown[] }): Promise<void>;
}

/**
 * The basket in a query cache: the latest basket of the server by its `revision`, with the changes that have no
 * response yet. A change that fails is missing in the next view, and the others stay.
 */
export class BasketCache {
  readonly #client: QueryCacheClient;
  readonly #queryKey: readonly unknown[];
  #base: BasketView | undefined;
  /** The time at which the base arrived. */
  #baseAt = 0;
  #pending: PendingChange[] = [];
  #clock = 0;

  constructor(client: QueryCacheClient, queryKey: readonly unknown[]) {
    this.#client = client;
    this.#queryKey = queryKey;
  }

  /** Runs a change. The basket shows it until its response arrives. */
  async change<T>(apply: BasketChange, send: () => Promise<T>): Promise<T> {
    if (this.#pending.length === 0) this.#adopt();
    const revision = (this.#base?.revision ?? 0) + this.#pending.length + 1;
    const change: PendingChange = { apply, revision };
    this.#pending.push(change);
    const startedAt = ++this.#clock;
    this.#show();
    try {
      const result = await send();
      this.#end(change);
      if (isBasketResult(result)) this.#receive(result.basket, startedAt);
      this.#show();
      return result;
    } catch (error) {
      // Later changes get the revisions that they would have had without this one.
      const later = this.#pending.slice(this.#pending.indexOf(change) + 1);
      for (const one of later) one.revision--;
      this.#end(change);
      this.#show();
      // The change may have run, for example if the connection was lost.
      if (this.#pending.length === 0) {
        void this.#client.invalidateQueries({ queryKey: this.#queryKey });
      }
      throw error;
    }
  }

  /** Runs a read. @returns the basket to show: an older one than the latest is ignored */
  async read<T>(send: () => Promise<T>): Promise<T> {
    const startedAt = ++this.#clock;
    const result = await send();
    if (!isBasketResult(result)) return result;
    if (this.#pending.length === 0) this.#adopt();
    this.#receive(result.basket, startedAt);
    const shownAt = this.#clock;
    // TanStack stores the returned value a little later, and a change can begin or end before that.
    setTimeout(() => this.#clock !== shownAt && this.#show());
    return { ...result, basket: this.#view(this.#base as BasketView) };
  }

  /** Begins with the basket in the cache, which the page can have put there, for example after rendering on a server. */
  #adopt(): void {
    const known = this.#client.getQueryData(this.#queryKey);
    if (!isBasketResult(known)) this.#base = undefined;
    else if (this.#base === undefined || this.#base.revision !== known.basket.revision) {
      this.#base = known.basket;
    }
  }

  #receive(basket: BasketView, startedAt: number): void {
    const base = this.#base;
    const isLater =
      base === undefined ||
      // The server sent the base before it got this request.
      startedAt > this.#baseAt ||
      (base.key === basket.key ? basket.revision >= base.revision : base.key === null);
    if (!isLater) return;
    this.#base = basket;
    this.#baseAt = ++this.#clock;
  }

  #end(change: PendingChange): void {
    this.#pending = this.#pending.filter((one) => one !== change);
    this.#clock++;
  }

  #show(): void {
    const base = this.#base;
    if (base === undefined) return;
    const known = this.#client.getQueryData(this.#queryKey) ?? {};
    this.#client.setQueryData(this.#queryKey, { ...known, basket: this.#view(base) });
  }

  /** The base with the changes that it does not contain yet. */
  #view(base: BasketView): BasketView {
    return this.#pending
      .filter(({ revision }) => revision > base.revision)
      .reduce((basket, { apply }) => apply(basket), base);
  }
}

// --- Internal helpers ---

interface PendingChange {
  readonly apply: BasketChange;
  /** The revision that the basket has after this change, if nobody else changes it. */
  revision: number;
}

/** Whether a value is the result of `getBasket`, or of a method that changes the basket. */
function isBasketResult(value: unknown): value is { readonly basket: BasketView } {
  const { basket } = (value ?? {}) as { readonly basket?: Partial<BasketView> };
  return Array.isArray(basket?.items) && typeof basket.revision === "number";
}
