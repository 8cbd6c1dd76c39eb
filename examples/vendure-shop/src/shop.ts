import { RpcClientError } from "storefront-core/client";
import { computed, ref } from "vue";
import { rpc } from "./rpc.ts";

type Basket = Awaited<ReturnType<typeof rpc.getBasket>>["basket"];
type User = Awaited<ReturnType<typeof rpc.getUser>>["user"];

export const basket = ref<Basket>();
export const user = ref<User>();
/** The error or the message that the page shows. */
export const notice = ref<{ readonly kind: "error" | "news"; readonly text: string }>();
const running = ref(0);
export const isBusy = computed(() => running.value > 0);
export const pieces = computed(() => basket.value?.totalQuantity ?? 0);

let last = Promise.resolve(true);

/** Reads the user and the number of items for the header. */
export async function load(): Promise<void> {
  const [found, who] = await Promise.all([rpc.getBasket(), rpc.getUser()]);
  basket.value = found.basket;
  user.value = who.user;
}

/**
 * Runs an action of the visitor after those before it, so that the last click wins, and shows its
 * error. @returns whether it succeeded
 */
export function run(action: () => Promise<unknown>): Promise<boolean> {
  running.value += 1;
  last = last.then(() => perform(action)).finally(() => (running.value -= 1));
  return last;
}

export function addToBasket(variantId: string, name: string): Promise<boolean> {
  return run(async () => {
    basket.value = (await rpc.addItemToBasket({ variantId, quantity: 1 })).basket;
    notice.value = { kind: "news", text: `${name} is in your basket.` };
  });
}

/** Changes the quantity of a line. The stock can be too low for it. */
export function changeQuantity(itemKey: string, quantity: number): Promise<boolean> {
  return run(async () => {
    const changed =
      quantity === 0
        ? await rpc.removeItemFromBasket({ itemKey })
        : await rpc.updateBasketItem({ itemKey, quantity });
    basket.value = changed.basket;
    const short = changed.short?.[0];
    if (short) notice.value = { kind: "error", text: `Only ${short.quantity} are in stock.` };
  });
}

// --- Internal helpers ---

async function perform(action: () => Promise<unknown>): Promise<boolean> {
  notice.value = undefined;
  try {
    await action();
    return true;
  } catch (error) {
    notice.value = { kind: "error", text: describe(error) };
    return false;
  }
}

function describe(error: unknown): string {
  if (!(error instanceof RpcClientError)) return "The shop can't be reached. Try again.";
  if (error.code === "out_of_stock") return "Sorry, no more of these are in stock.";
  if (error.code === "commerce_unavailable") return "The shop is busy. Try again in a moment.";
  return error.detail ?? error.message;
}
