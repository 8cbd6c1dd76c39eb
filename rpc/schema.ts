import { en } from "zod/locales";
import * as z from "zod/mini";

/*
 * The schemas of this program use zod's small variant, because a worker's bundle contains only the functions that are
 * used. Your own schemas can be of either variant.
 */

// The small variant has no messages of its own. A program can have set the language before.
if (z.config().localeError === undefined) z.config(en());

/** A text of 1 to `most` characters. */
export function boundedText(most: number) {
  return z.string().check(z.minLength(1), z.maxLength(most));
}

/** The same, without spaces at its ends. */
export function trimmedText(most: number) {
  return z.string().check(z.trim(), z.minLength(1), z.maxLength(most));
}
