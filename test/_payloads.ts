import * as fc from "fast-check";
import { builtinMethods } from "../rpc/methods/builtin.ts";
import { jsonText } from "./_hostile.ts";

/** The default of `maxBodySize`. */
export const maxBodySize = 100_000;

/** A JSON payload of any size. */
export interface Growing {
  readonly name: string;
  readonly method: string;
  /** @param size about how many characters */
  toPayload(size: number): string;
}

/** Valid, partly valid, and invalid payloads of every method. */
export const growing: fc.Arbitrary<Growing> = fc
  .constantFrom(...Object.keys(builtinMethods))
  .chain((method) =>
    fc
      .record({
        place: fc.constantFrom(...placesOf(method)),
        shape: fc.constantFrom(...shapes.keys()),
        unit: fc.oneof(fc.constantFrom(...units), jsonText),
      })
      .map(({ place, shape, unit }) => toGrowing(method, place, shape, unit)),
  );

/** Payloads that used to be slow. */
export function slowestPayloads(): readonly Growing[] {
  return [
    toGrowing("login", '{"email":"a@example.com","password":"x",@}', "members", '"v"'),
    toGrowing("login", "@", "list", deep(28)),
    toGrowing(
      "addItemToBasket",
      '{"variantId":7,"quantity":1,"customData":{"a":@}}',
      "list",
      deep(25),
    ),
    toGrowing("addItemsToBasket", '{"items":@}', "faulty lines", "0"),
    toGrowing("addItemsToBasket", '{"items":@}', "lines of one variant", '{"b":[[]],"a":{}}'),
    toGrowing("addItemsToBasket", '{"items":@}', "lines of many variants", '{"b":[[]],"a":{}}'),
    toGrowing("note", '{"a":@}', "list", deep(28)),
    toGrowing("note", "@", "object", "{}"),
    toGrowing("keepTokens", "@", "text", "a"),
    toGrowing("echo", "@", "list", deep(28)),
    toGrowing("fail", "@", "object", "{}"),
  ];
}

/** Nested brackets. */
export function deep(depth: number): string {
  return "[".repeat(depth) + "]".repeat(depth);
}

// --- Internal helpers ---

type Shape = (unit: string, size: number) => string;

const units = ["0", '""', "[]", "{}", '{"b":0,"a":0}', '"\\u0000"', '"é"', "1e308", deep(25)];

const line = (variantId: number, index: number, data: string) =>
  `{"variantId":${variantId},"quantity":1,"customData":{"i":${index},"d":${data}}}`;

/** The maximum number of lines in the schema. */
const maxLines = 1000;

const shapes = new Map<string, Shape>([
  ["list", (unit, size) => `[${repeat(() => unit, size)}]`],
  ["object", (unit, size) => `{${repeat((index) => `"k${index}":${unit}`, size)}}`],
  ["members", (unit, size) => repeat((index) => `"k${index}":${unit}`, size)],
  ["numbered", (unit, size) => `{${repeat((index) => `"${index * 9973}":${unit}`, size)}}`],
  ["one key", (unit, size) => `{${repeat(() => `"a":${unit}`, size)}}`],
  [
    "text",
    (unit, size) =>
      JSON.stringify(unit.repeat(Math.ceil(size / unit.length) || 1))
        .slice(0, size)
        .replace(/\\*$/, "") + '"',
  ],
  [
    "lines of one variant",
    (unit, size) => `[${repeat((index) => line(7, index, unit), size, maxLines)}]`,
  ],
  [
    "lines of many variants",
    (unit, size) => `[${repeat((index) => line(index + 1, index, unit), size, maxLines)}]`,
  ],
  [
    "faulty lines",
    (unit, size) =>
      `[${repeat(() => `{"variantId":0,"quantity":0,"a":${unit},"b":1}`, size, maxLines)}]`,
  ],
]);

const fields: Readonly<Record<string, readonly string[]>> = {
  login: ["email", "password"],
  register: ["email", "password", "firstName"],
  updateUser: ["firstName"],
  updatePassword: ["oldPassword", "newPassword"],
  updateEmail: ["email", "password"],
  reauthenticate: ["password"],
  revokeSession: ["handle"],
  addItemToBasket: ["variantId", "quantity", "customData"],
  updateBasketItem: ["itemKey", "quantity", "customData"],
  removeItemFromBasket: ["itemKey"],
  addItemToWishlist: ["variantId"],
  removeItemFromWishlist: ["itemKey"],
};

const valid: Readonly<Record<string, string>> = {
  email: '"a@example.com"',
  variantId: "7",
  quantity: "1",
  customData: '{"a":0}',
};

/** The positions of the filling in a payload of a method. */
function placesOf(method: string): readonly string[] {
  if (method === "addItemsToBasket") return ["@", '{"items":@}', '{"items":@}', '{"items":[@]}'];
  const names = fields[method] ?? [];
  const whole = names.map((name) => `"${name}":${valid[name] ?? '"correct horse"'}`);
  const filled = names.map(
    (name) =>
      `{${whole.map((field) => (field.startsWith(`"${name}"`) ? `"${name}":@` : field)).join(",")}}`,
  );
  return ["@", `{${[...whole, '"x":@'].join(",")}}`, ...filled];
}

function toGrowing(method: string, place: string, shape: string, unit: string): Growing {
  const make = shapes.get(shape) as Shape;
  return {
    name: `${method} with ${shape} of ${unit.slice(0, 60)} in ${place}`,
    method,
    toPayload: (size) => {
      const filling = make(unit, size - place.length);
      const isStray = shape === "members" && !place.includes(",@");
      return place.replace("@", () => (isStray ? `{${filling}}` : filling));
    },
  };
}

function repeat(part: (index: number) => string, size: number, most = Infinity): string {
  const parts: string[] = [];
  let length = 0;
  for (let index = 0; index < most; index++) {
    const next = part(index);
    length += next.length + 1;
    // Not characters: the limit is in bytes.
    if (length > size) break;
    parts.push(next);
  }
  return parts.join(",");
}
