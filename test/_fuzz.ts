import { appendFileSync } from "node:fs";
import * as fc from "fast-check";
import { afterAll, expect, inject, test } from "vitest";
import { createStorefront, type Storefront } from "../server/storefront.ts";
import type { StorefrontConfig } from "../server/config/config.ts";
import { createTestLog, type LogLine } from "./_log.ts";
import { testConfig } from "./_setup.ts";
import type { Answer, Send } from "./_visitor.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Where properties write down how many inputs they have seen; see _global.ts. */
    fuzzCounts: string;
  }
}

/**
 * A test that holds a property against random inputs. A failure says the smallest input that was found,
 * and the seed, for `FUZZ_SEED`.
 * @param share how many of the 20,000 inputs of a plain run; `FUZZ_RUNS` asks for more of all
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

/** A storefront that many inputs are sent to. */
export interface FuzzedStorefront<State> {
  readonly app: Storefront;
  readonly send: Send;
  /** What `open` made of it. */
  readonly state: State;
}

/**
 * A storefront on the memory driver for the properties of a file. Now and then a new one takes its place,
 * or what a million inputs leave behind would fill the memory.
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
    const app = createStorefront(testConfig({ log, ...config }), { production: false });
    const send: Send = async (path, init) => {
      lines.length = 0;
      const response = await settle(
        Promise.resolve(app.fetch(new Request(new URL(path, "http://localhost"), init))),
        `${init.method} ${path}`,
      );
      assertQuiet(lines);
      await readAnswer(response.clone(), init.method);
      return response;
    };
    current = { app, send, state: await open(send) };
    return current;
  };
}

/** Waits for what must settle: a hang is a failure with a name. */
export async function settle<T>(
  promise: Promise<T>,
  what: string,
  milliseconds = patience,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const hang = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      // Smaller inputs that hang as well are looked for, and need not be waited for as long.
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

/** Reads an answer, and holds it against what all answers have in common; that to a HEAD has no body. */
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

/** No input may leave anything in what all objects share. */
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
