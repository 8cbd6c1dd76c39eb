import { appendFileSync } from "node:fs";
import * as fc from "fast-check";
import { afterAll, expect, inject, test } from "vitest";
import { openStorefront } from "../server/storefront.ts";
import type { Storefront } from "../server/storefront-app.ts";
import type { StorefrontConfig } from "../server/config/config.ts";
import { servers } from "./_servers.ts";
import { createTestLog, type LogLine } from "../server/testing/test-log.ts";
import { testConfig } from "./_setup.ts";
import type { Answer, Send } from "./_cookie-client.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The file with the number of inputs of each property; see _global.ts. */
    fuzzCounts: string;
  }
}

/**
 * Tests a property with random inputs. A failure prints the smallest failing input
 * and the seed for `FUZZ_SEED`.
 * @param share number of inputs out of the 20,000 of a default run; `FUZZ_RUNS` scales it
 */
export function testProperty<T>(
  name: string,
  share: number,
  inputs: fc.Arbitrary<T>,
  check: (input: T) => Promise<void> | void,
): void {
  const numRuns = Math.ceil((share * allRuns) / plainRuns);
  const body = async () => {
    const property = fc.asyncProperty(inputs, async (input) => {
      await settle(Promise.resolve(check(input)), name, 4 * patience);
      assertUnpolluted();
    });
    const result = await fc.check(property, { numRuns, ...(seed !== undefined && { seed }) });
    appendFileSync(inject("fuzzCounts"), `${result.numRuns}\n`);
    if (result.failed) {
      throw new Error(fc.defaultReportMessage(result), { cause: result.errorInstance });
    }
  };
  test(name, body, 120_000 + 60 * numRuns);
}

/** A storefront for many inputs. */
export interface FuzzedStorefront<State> {
  readonly app: Storefront;
  readonly send: Send;
  /** The result of `open`. */
  readonly state: State;
}

/**
 * A storefront on the memory driver for the properties of a file. A new one replaces it regularly,
 * because a million inputs would fill the memory.
 */
export function useStorefront<State>(
  config: Partial<StorefrontConfig>,
  open: (send: Send) => Promise<State>,
): () => Promise<FuzzedStorefront<State>> {
  let current: FuzzedStorefront<State> | undefined;
  let uses = 0;
  afterAll(() => current?.app.close());

  return async function take() {
    uses++;
    if (current !== undefined && uses % usesOfStorefront !== 0) return current;
    await current?.app.close();
    const { log, lines } = createTestLog();
    const storefront = openStorefront(testConfig({ log, ...config }), { production: false });
    const { app } = storefront;
    const sendDirectly = servers.request(storefront);
    const send: Send = async (path, init) => {
      lines.length = 0;
      const response = await settle(sendDirectly(path, init), `${init.method} ${path}`);
      assertQuiet(lines);
      await readAnswer(response.clone(), init.method);
      return response;
    };
    current = { app, send, state: await open(send) };
    return current;
  };
}

/** Waits for a promise. @throws Error with the input if the promise hangs */
export async function settle<T>(
  promise: Promise<T>,
  what: string,
  milliseconds = patience,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const hang = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      // fast-check then tries smaller inputs, which need a shorter wait.
      patience = 1000;
      reject(new Error(`Hangs: ${what.slice(0, 500)}`));
    }, milliseconds);
  });
  try {
    return await Promise.race([promise, hang]);
  } finally {
    clearTimeout(timer);
  }
}

/** Reads a response, and checks the rules for all responses; a response to HEAD has no body. */
export async function readAnswer(response: Response, verb = "POST"): Promise<Answer> {
  const { status, headers } = response;
  const text = await settle(response.text(), "the body of an answer");
  const contentType = headers.get("content-type");
  const setCookies = headers.getSetCookie();
  expect(status, text).toBeLessThan(500);
  if (status === 204) {
    expect([text, contentType]).toEqual(["", null]);
    return { status, headers, body: undefined, setCookies };
  }
  const body = verb === "HEAD" && text === "" ? undefined : JSON.parse(text);
  if (status < 300) {
    expect(contentType).toBe("application/json");
  } else {
    expect(status, text).toBeGreaterThanOrEqual(400);
    expect(contentType).toBe("application/problem+json");
    expect(headers.get("cache-control")).toBe("no-store");
    if (verb === "HEAD") return { status, headers, body, setCookies };
    expect(body).toMatchObject({ type: "about:blank", status });
    expect([typeof body.title, typeof body.code]).toEqual(["string", "string"]);
  }
  return { status, headers, body, setCookies };
}

// --- Internal helpers ---

const plainRuns = 20_000;
const allRuns = Number(process.env["FUZZ_RUNS"] ?? plainRuns);
const seed = process.env["FUZZ_SEED"] === undefined ? undefined : Number(process.env["FUZZ_SEED"]);

/** Milliseconds; a call of these tests takes about one. */
let patience = 15_000;

const usesOfStorefront = 1000;

const prototypes = [Object, Array, Function, String, Number, Promise, Map, Headers, Response].map(
  ({ prototype }) => prototype as object,
);
const unpolluted = prototypes.map(readMembers);

function readMembers(prototype: object): unknown[] {
  return Reflect.ownKeys(prototype).flatMap((key) => {
    const { value, get, set } = Object.getOwnPropertyDescriptor(
      prototype,
      key,
    ) as PropertyDescriptor;
    return [key, value, get, set];
  });
}

/** Checks that no input changed a shared prototype. */
function assertUnpolluted(): void {
  for (const [index, prototype] of prototypes.entries()) {
    const before = unpolluted[index] as unknown[];
    const members = readMembers(prototype);
    const isSame = members.length === before.length && members.every((it, at) => it === before[at]);
    if (!isSame) throw new Error(`Polluted: ${Reflect.ownKeys(prototype).map(String).join(", ")}`);
  }
}

function assertQuiet(lines: readonly LogLine[]): void {
  const errors = lines.filter(({ level }) => level === "error");
  if (errors.length > 0) throw new Error(`Logged: ${JSON.stringify(errors)}`);
}
