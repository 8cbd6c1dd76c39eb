import * as z from "zod";
import { createRpcClient } from "../../rpc/client.ts";
import type { RpcMethods } from "../../rpc/method.ts";
import { tokenMethods } from "../credentials/transports.ts";

/** Whether a value of the config is valid. */
export type Check = (value: unknown) => boolean;

export function required(check: Check, expected: string) {
  return z.custom<unknown>(check, { error: expected });
}

/** An optional value. */
export function value(check: Check, expected: string) {
  return required((found) => found === undefined || check(found), expected).optional();
}

/** An object, optional unless `isRequired`; an unknown key is an error. */
export function object(shape: z.ZodRawShape, { isRequired = false } = {}) {
  const keys = Object.keys(shape).filter((key) => key !== "provider");
  const strict = z.strictObject(shape, {
    error: ({ code }) =>
      code === "unrecognized_keys" ? `one of the keys ${keys.join(", ")}` : "an object",
  });
  return isRequired ? strict : strict.optional();
}

export function oneOf(...values: readonly string[]) {
  const expected = values.map((name) => JSON.stringify(name)).join(" or ");
  return value((found) => values.includes(found as string), expected);
}

export function seconds(most: number) {
  const days = most === Number.MAX_SAFE_INTEGER ? "" : ` (${most / 86_400} days at most)`;
  return value((found) => isSeconds(found, most), `a whole number of seconds, 1 or more${days}`);
}

export function isSeconds(found: unknown, most: number): boolean {
  return isPositiveInteger(found) && Number(found) <= most;
}

export function matches(pattern: RegExp): Check {
  return (text) => isText(text) && pattern.test(text);
}

export function isText(text: unknown): text is string {
  return typeof text === "string";
}

export function isUndefined(found: unknown): boolean {
  return found === undefined;
}

export function isPositiveInteger(found: unknown): boolean {
  return Number.isSafeInteger(found) && Number(found) > 0;
}

export function isFunction(found: unknown): boolean {
  return typeof found === "function";
}

export function isListOf(list: unknown, check: Check): boolean {
  return Array.isArray(list) && list.every(check);
}

export function hasFunctions(names: readonly string[]): Check {
  return (found) =>
    (typeof found === "object" || isFunction(found)) &&
    found !== null &&
    names.every((name) => isFunction((found as Record<string, unknown>)[name]));
}

export function isTokenMethod(found: unknown): boolean {
  const names = [found].flat();
  return names.length > 0 && names.every((name) => tokenMethods.some((method) => method === name));
}

/** The pages that can call: a list of origins and patterns, or a function that decides. */
export function isOriginRule(found: unknown): boolean {
  if (isFunction(found)) return true;
  return isListOf(found, (rule) => rule instanceof RegExp || isOrigin(rule));
}

export function isPublicUrl(found: unknown): boolean {
  if (!isText(found) || !URL.canParse(found)) return false;
  const { protocol, username, password, search, hash } = new URL(found);
  return /^https?:$/.test(protocol) && `${username}${password}${search}${hash}` === "";
}

export function isHostList(found: unknown): boolean {
  return Array.isArray(found) && found.length > 0 && found.every(isHost);
}

export function isHost(found: unknown): boolean {
  return matches(hostWithPort)(found) && URL.canParse(`http://${String(found).replace("*.", "")}`);
}

/** As a browser writes it: no path, no `*`. */
function isOrigin(found: unknown): boolean {
  return (
    isText(found) && !found.includes("*") && URL.canParse(found) && new URL(found).origin === found
  );
}

export function isAuth(found: unknown): boolean {
  if (!hasFunctions(["login", "register", "changePassword"])(found)) return false;
  const { updateUser, changeEmail } = found as Readonly<Record<string, unknown>>;
  return [updateUser, changeEmail].every((able) => able === undefined || isFunction(able));
}

export function isMethod(found: unknown): boolean {
  if (!hasFunctions(["handler"])(found)) return false;
  const { access } = found as { readonly access?: unknown };
  return ["public", "session", "user"].includes(access as string);
}

/** A client has no function for names that libraries read, such as `then`; every object has a `constructor`. */
export function isMethodName(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name) || name in Object.prototype) return false;
  return createRpcClient<RpcMethods>({ baseURL: "", shopId: 0 })[name] !== undefined;
}

export function isLocale(tag: unknown): boolean {
  try {
    return isText(tag) && Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}

// --- Internal helpers ---

const hostWithPort = /^(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::\d{1,5})?$/;
