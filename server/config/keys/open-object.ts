import * as z from "zod/mini";
import { findMisspelled } from "../../../shared/similar.ts";

/** The members of an object that the config gets from a program: the check of each, also of those that are absent. */
export type Members<Value> = Readonly<Record<keyof Value, (found: unknown) => boolean>>;

/**
 * An object with these members. It can be an instance of a class, and can have members of its own, but none that
 * misspells the name of one of these.
 * @param parts the members of members that are such objects themselves
 */
export function openObject<Value>(
  members: Members<Value>,
  expected: string,
  parts: Readonly<Record<string, object>> = {},
) {
  const schema = z.custom<Value>().check(({ value: found, issues }) => {
    const report = (path: string[], message: string) =>
      void issues.push({ code: "custom", path, message, input: found });
    if (!hasMembers(found, members)) {
      report([], expected);
      return;
    }
    reportMisspelled(found, members, report);
    for (const [name, ofPart] of Object.entries(parts)) {
      const part = (found as Readonly<Record<string, unknown>>)[name];
      if (part === undefined) continue;
      reportMisspelled(part, ofPart, (path, message) => report([name, ...path], message));
    }
  });
  return { schema, expected };
}

/** Reports each member whose name misspells one of these. */
export function reportMisspelled(
  found: unknown,
  members: object,
  report: (path: string[], message: string) => void,
): void {
  const fits = (name: string, value: unknown) =>
    (members as Members<Record<string, unknown>>)[name]?.(value) === true;
  for (const { name, meant } of findMisspelled(found as object, Object.keys(members), fits)) {
    report([name], `no such property; did you mean ${meant}?`);
  }
}

/** Whether a value is an object, or a class with static functions, and each of these members is valid. */
export function hasMembers(found: unknown, members: object): boolean {
  if (typeof found !== "function" && (typeof found !== "object" || found === null)) return false;
  return Object.entries(members as Members<Record<string, unknown>>).every(([name, isValid]) =>
    isValid((found as Readonly<Record<string, unknown>>)[name]),
  );
}

/** A check that also accepts `undefined`. */
export function optional(isValid: (found: unknown) => boolean) {
  return (found: unknown) => found === undefined || isValid(found);
}

export function isFunction(found: unknown): boolean {
  return typeof found === "function";
}
