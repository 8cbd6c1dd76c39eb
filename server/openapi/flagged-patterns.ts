import type { $ZodType } from "zod/v4/core";

/**
 * Removes the patterns whose flags change their meaning. JSON Schema has no flags, so `/^[a-z]+$/i` would reject capital
 * letters there.
 * @param json the translation of the schema, which this changes
 * @returns a sentence for each removed pattern
 */
export function removeFlagged(
  { _zod: { def } }: $ZodType,
  json: { pattern?: string; allOf?: readonly unknown[] },
): readonly string[] {
  // A schema with a format, such as `z.email({ pattern })`, is its own first check.
  const patterns = [def, ...(def.checks ?? []).map(({ _zod: check }) => check.def)]
    .map((one) => (one as { readonly pattern?: unknown }).pattern)
    .filter((pattern) => pattern instanceof RegExp && /[ims]/.test(pattern.flags)) as RegExp[];
  if (patterns.length === 0) return [];
  const sources = patterns.map(({ source }) => source);
  const isKept = (part: unknown) =>
    !sources.includes((part as { readonly pattern?: string }).pattern ?? "");
  if (!isKept(json)) delete json.pattern;
  const others = json.allOf?.filter(isKept) ?? [];
  if (others.length > 0) json.allOf = others;
  else delete json.allOf;
  return patterns.map((pattern) => `Matches ${pattern}.`);
}
