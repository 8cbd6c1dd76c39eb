import type { Basket, BasketLine, BasketView } from "./basket.ts";
import { Json } from "../json-text.ts";
import { toStoredJson } from "./line-identity.ts";

/**
 * The result of the basket's methods, as JSON text. Custom data is stored as text, and to parse that of a full basket
 * would hold the event loop longer than the rest of the call.
 */
export function viewBasket(
  key: string | undefined,
  { items, revision }: Basket,
): Json<{ readonly basket: BasketView }> {
  const itemCount = items.reduce((count, item) => count + item.quantity, 0);
  const basket = { key: key ?? null, items: [], itemCount, revision };
  if (items.every(isPlain)) return Json.of({ basket: { ...basket, items } });
  const lines = items.map(writeLine).join(",");
  return new Json(JSON.stringify({ basket }).replace('"items":[]', () => `"items":[${lines}]`));
}

// --- Internal helpers ---

function isPlain(line: BasketLine): line is BasketLine & { customData?: undefined } {
  return line.customData === undefined;
}

function writeLine(line: BasketLine): string {
  const { customData, addedAt, ...item } = line;
  if (customData === undefined) return JSON.stringify(line);
  const head = JSON.stringify(item).slice(0, -1);
  return `${head},"customData":${toStoredJson(customData)},"addedAt":${addedAt}}`;
}
