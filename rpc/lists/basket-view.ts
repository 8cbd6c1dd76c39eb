import type { Basket, BasketLine, BasketView } from "./basket.ts";
import { jsonText } from "../method.ts";
import { toStoredJson } from "./line-identity.ts";

/**
 * The result of the basket's methods. Custom data is stored as JSON, and a result with custom data is JSON until a
 * method reads it: parsing that of a full basket would hold the event loop longer than the rest of the call.
 */
export function viewBasket(
  key: string | undefined,
  { items, revision }: Basket,
): { readonly basket: BasketView } {
  const itemCount = items.reduce((count, item) => count + item.quantity, 0);
  const basket = { key: key ?? null, items: items.filter(isPlain), itemCount, revision };
  if (basket.items.length === items.length) return { basket };
  const empty = JSON.stringify({ basket: { ...basket, items: [] } });
  const lines = items.map(writeLine).join(",");
  return parseLater(empty.replace('"items":[]', () => `"items":[${lines}]`));
}

// --- Internal helpers ---

function parseLater(text: string): { readonly basket: BasketView } {
  let parsed: { readonly basket: BasketView } | undefined;
  const result = {
    get basket() {
      parsed ??= JSON.parse(text) as { readonly basket: BasketView };
      return parsed.basket;
    },
  };
  // A method can change what it has read, so the text counts only until then.
  const get = () => (parsed === undefined ? text : undefined);
  return Object.defineProperty(result, jsonText, { get });
}

function isPlain(line: BasketLine): line is BasketLine & { customData?: undefined } {
  return line.customData === undefined;
}

function writeLine(line: BasketLine): string {
  const { customData, addedAt, ...item } = line;
  if (customData === undefined) return JSON.stringify(line);
  const head = JSON.stringify(item).slice(0, -1);
  return `${head},"customData":${toStoredJson(customData)},"addedAt":${addedAt}}`;
}
