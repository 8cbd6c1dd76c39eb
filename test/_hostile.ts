import * as fc from "fast-check";

/** Strings with a special meaning for storages, URLs, headers, JSON, JavaScript, or readers. */
const oddTexts = [
  [
    "",
    " ",
    "\t",
    ".",
    "..",
    "../",
    "..\\",
    "/",
    "\\",
    ":",
    "::",
    "?",
    "#",
    "$",
    "&",
    "=",
    ";",
    ",",
  ],
  ["%", "%00", "%2e%2e%2f", "%2F", "%5C", "%ZZ", "%", "%u0041", "%25", "\0", "\n", "\r\n", "\x7f"],
  ["\u202e", "\u200b", "\ufeff", "\u2028", "é", "e\u0301", "ß", "ſ", "\u212a", "İ", "ı", "Ａ", "٣"],
  ["😀", "👩‍👩‍👧", "\ud800", "\udc00", "\udc00\ud800", "\ufffd", "A", "a", "7", "07", "+7", "7.0"],
  ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "then", "length"],
  ["null", "undefined", "NaN", "true", "-0", "1e308", "0x3e9", "[object Object]", "{}", "[]", '"'],
  ["<script>alert(1)</script>", "' OR 1=1 --", "${7*7}", "*", "{tag}", "CON", "nul.txt", "~root"],
  ["a".repeat(64), "a".repeat(65), "é".repeat(64), "😀".repeat(32), "x".repeat(10_000)],
].flat();

const oddText = fc.constantFrom(...oddTexts);

/** Any string, including lone surrogates; often a special one. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  oddText,
  fc.array(oddText, { minLength: 2, maxLength: 4 }).map((parts) => parts.join("")),
  fc.string({ unit: "binary", maxLength: 80 }),
  fc.array(fc.nat(0xffff), { maxLength: 8 }).map((units) => String.fromCharCode(...units)),
);

/** A valid header value: bytes without line ends and NUL. */
export function toHeaderText(text: string): string {
  const bytes = Buffer.from(text.slice(0, 20_000)).toString("latin1");
  return bytes.replace(/[\0\r\n]/g, " ");
}

/** Changes a valid string slightly, as an attacker does. */
export const mutation: fc.Arbitrary<(text: string) => string> = fc.oneof(
  { weight: 2, arbitrary: fc.constant((text: string) => text) },
  fc.tuple(fc.nat(), fc.nat(7)).map(([at, bit]) => (text: string) => {
    return replaceAt(text, at, (unit) => String.fromCharCode(unit.charCodeAt(0) ^ (1 << bit)));
  }),
  fc.tuple(fc.nat(), oddText).map(([at, odd]) => (text: string) => {
    const place = at % (text.length + 1);
    return text.slice(0, place) + odd + text.slice(place);
  }),
  fc.nat().map((at) => (text: string) => replaceAt(text, at, () => "")),
  fc.nat().map((at) => (text: string) => text.slice(0, at % (text.length + 1))),
  fc.nat().map((at) => (text: string) => text.slice(at % (text.length + 1))),
  fc.nat().map((at) => (text: string) => replaceAt(text, at, toPercent)),
  fc.tuple(fc.nat(), base64Digit()).map(([at, digit]) => (text: string) => {
    return replaceAt(text, at, () => digit);
  }),
  // The last base64 digit has unused bits: of the string, or of the part before its last dot.
  fc.tuple(fc.boolean(), base64Digit()).map(([isWhole, digit]) => (text: string) => {
    const end = isWhole ? text.length : Math.max(text.lastIndexOf("."), 1);
    return text.slice(0, end - 1) + digit + text.slice(end);
  }),
  fc.constantFrom<(text: string) => string>(
    (text) => [...Buffer.from(text).toString("latin1")].map(toPercent).join(""),
    (text) => text.replaceAll("%", "%25"),
    (text) => text.replace(/%../g, (code) => code.toLowerCase()),
    (text) => decodeLeniently(text),
    (text) => text.replaceAll("+", "-").replaceAll("/", "_"),
    (text) => text.replaceAll("-", "+").replaceAll("_", "/"),
    (text) => `${text}=`,
    (text) => `"${text}"`,
    (text) => ` ${text}\t`,
    (text) => text.toUpperCase(),
    (text) => text.toLowerCase(),
    (text) => text + text,
    (text) => text.repeat(50),
    (text) => text.normalize("NFD"),
    (text) => [...text].toReversed().join(""),
  ),
);

/** One of a few valid strings, unchanged or changed slightly. */
export function nearTo(good: readonly string[]): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...good), fc.array(mutation, { maxLength: 3 }))
    .map(([text, changes]) => changes.reduce((changed, change) => change(changed), text));
}

/** A number in JSON notation. */
export const numberText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom("0", "-0", "1", "-1", "0.5", "1e0", "1e308", "1e309", "-1e400", "1E2", "5e-324"),
  fc.constantFrom("9007199254740991", "9007199254740992", "9007199254740993", "1e15", "1.0"),
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.nat(400).map((length) => `9${"0".repeat(length)}`),
);

/** A JSON string; lone surrogates are escaped. */
export const stringText: fc.Arbitrary<string> = hostileText.map((text) => JSON.stringify(text));

/** JSON text, including forms that `JSON.stringify` never writes, such as `-0` and duplicate keys. */
export const jsonText: fc.Arbitrary<string> = fc.letrec<{ value: string; leaf: string }>((tie) => ({
  leaf: jsonLeaf(),
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    tie("leaf"),
    fc.array(tie("value"), { maxLength: 4 }).map((items) => `[${items.join(",")}]`),
    fc.array(fc.tuple(jsonKey(), tie("value")), { maxLength: 4 }).map(toObjectText),
  ),
})).value;

/** A JSON object; keys can repeat. */
export function toObjectText(members: readonly (readonly [key: string, text: string])[]): string {
  return `{${members.map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(",")}}`;
}

// --- Internal helpers ---

function jsonKey(): fc.Arbitrary<string> {
  const known = ["__proto__", "constructor", "prototype", "payload", "polluted", "variantId", "a"];
  return fc.oneof(fc.constantFrom(...known), hostileText);
}

function jsonLeaf(): fc.Arbitrary<string> {
  return fc.oneof(
    numberText,
    stringText,
    fc.constantFrom("null", "true", "false", '""', "[]", "{}"),
    fc.constantFrom(
      '{"__proto__":{"polluted":1}}',
      '{"constructor":{"prototype":{"polluted":1}}}',
      '["__proto__"]',
    ),
  );
}

function base64Digit(): fc.Arbitrary<string> {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=";
  return fc.constantFrom(...digits);
}

function replaceAt(text: string, at: number, change: (unit: string) => string): string {
  if (text === "") return text;
  const place = at % text.length;
  return text.slice(0, place) + change(text.charAt(place)) + text.slice(place + 1);
}

function toPercent(unit: string): string {
  return `%${unit.charCodeAt(0).toString(16).padStart(2, "0")}`;
}

function decodeLeniently(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
