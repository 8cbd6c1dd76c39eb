import { createHash, randomUUID } from "node:crypto";
import type {
  BasketOutcome,
  CommerceBackend,
  CommerceBasket,
} from "../../rpc/commerce/commerce-backend.ts";
import type { StorageConfig } from "../../storage/documents/driver.ts";
import { CookieClient } from "./cookie-client.ts";
import { createStorefront } from "../storefront.ts";
import type { Storefront } from "../storefront-app.ts";

/** Storefronts before a commerce system: one, or two on one storage. */
export class SuiteShop {
  readonly #storefronts: readonly Storefront[];

  constructor(
    backends: readonly CommerceBackend[],
    shop: { readonly locale: string; readonly currency: string },
    storage: StorageConfig,
  ) {
    this.#storefronts = backends.map((commerce) =>
      createStorefront(
        {
          shops: [{ shopId, ...shop, commerce }],
          session: { secret },
          storage: { session: storage },
          loginAttempts: false,
          log: silent,
        },
        { production: false },
      ),
    );
  }

  /** A new visitor, whose calls alternate between the servers. */
  visitor(): SuiteVisitor {
    return new SuiteVisitor(this.#storefronts);
  }

  async close(): Promise<void> {
    await Promise.all(this.#storefronts.map((storefront) => storefront.close()));
  }
}

/** The result of a call. */
interface SuiteAnswer {
  readonly status: number;
  /** The parts of results and problems that the suite reads. `data` is that of a problem. */
  readonly body:
    | (Partial<BasketOutcome> & { readonly code?: string; readonly data?: Partial<BasketOutcome> })
    | undefined;
}

/** A client with cookies. */
export class SuiteVisitor {
  readonly #client: CookieClient<SuiteAnswer["body"]>;

  constructor(storefronts: readonly Storefront[]) {
    let calls = 0;
    this.#client = new CookieClient(async (path, init) => {
      const storefront = storefronts[calls++ % storefronts.length] as Storefront;
      return storefront.fetch(new Request(`http://localhost${path}`, init));
    }, shopId);
  }

  get hasSession(): boolean {
    return this.#client.cookies.size > 0;
  }

  async call(method: string, payload?: unknown, key?: string): Promise<SuiteAnswer> {
    const headers = { ...(key !== undefined && { "idempotency-key": key }) };
    const { status, body } = await this.#client.call(method, payload, headers);
    return { status, body };
  }

  /** Calls a method with a new key, and repeats it with the same key as long as the failure can pass. */
  async repeat(method: string, payload?: unknown): Promise<SuiteAnswer> {
    const key = randomUUID();
    for (let attempt = 0; ; attempt++) {
      const answer = await this.call(method, payload, key);
      const canPass = answer.status >= 500 || answer.body?.code === "session_changed";
      if (!canPass || attempt === maxAttempts) return answer;
    }
  }

  /** The quantities in the basket, by variant. @throws Error if the basket can't be read */
  async quantities(): Promise<Readonly<Record<string, number>>> {
    const answer = await this.repeat("getBasket");
    if (answer.status !== 200) throw new Error(`getBasket failed: ${JSON.stringify(answer)}`);
    return toQuantities(toOutcome(answer).basket);
  }
}

/** The basket and the shortages of an answer, also of a problem. @throws Error if it has no basket */
export function toOutcome({ status, body }: SuiteAnswer): BasketOutcome {
  const { basket, short } = body?.basket === undefined ? (body?.data ?? {}) : body;
  if (basket === undefined) {
    throw new Error(`The answer has no basket: ${status} ${JSON.stringify(body)}`);
  }
  return { basket, short };
}

/** The quantities of a basket, by variant. */
export function toQuantities(basket: CommerceBasket): Readonly<Record<string, number>> {
  const quantities: Record<string, number> = {};
  for (const { variantId, quantity } of basket.items) {
    quantities[variantId] = (quantities[variantId] ?? 0) + quantity;
  }
  return quantities;
}

// --- Internal helpers ---

const shopId = 1;
const maxAttempts = 10;
const secret = createHash("sha256").update("conformance suite").digest("hex");

const nothing = () => {};
const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing };
