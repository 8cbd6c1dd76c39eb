import { createInterface } from "node:readline/promises";
import { findSimilar } from "../../../shared/similar.ts";
import { shopKeys } from "../../config/keys/shop-keys.ts";
import { StartError } from "../../config/start-error.ts";
import { frameworks } from "./frameworks.ts";

/** The project to create. */
export interface Choices {
  readonly shop: string;
  readonly locale: string;
  readonly currency: string;
  readonly framework: keyof typeof frameworks;
  readonly storage: "memory" | "redis";
  readonly commerce: "none" | "vendure";
}

/**
 * Reads the choices from the options, and prompts for the others.
 * @param options of the command line, by their names
 * @param isAsking whether a terminal can answer. Without one, the defaults are the answers
 * @throws StartError if an option has another value than expected
 */
export async function readChoices(
  options: Readonly<Record<string, unknown>>,
  isAsking: boolean,
): Promise<Choices> {
  const answers: Partial<Record<keyof Choices, string>> = {};
  const names = Object.keys(questions) as (keyof Choices)[];
  for (const name of names) {
    const given = options[name];
    if (typeof given !== "string") continue;
    const fault = findFault(questions[name], given);
    if (fault !== undefined) throw new StartError("SF907", `--${name}: ${fault}`);
    answers[name] = given;
  }
  const terminal = isAsking
    ? createInterface({ input: process.stdin, output: process.stdout })
    : undefined;
  try {
    for (const name of names) {
      answers[name] ??= await answer(questions[name], (text) => terminal?.question(text));
    }
  } finally {
    terminal?.close();
  }
  return answers as Choices;
}

// --- Internal helpers ---

interface Question {
  readonly text: string;
  readonly fallback: string;
  /** The valid answers, or a check and its description. */
  readonly valid:
    | readonly string[]
    | { readonly expected: string; isValid(value: string): boolean };
}

const questions: Readonly<Record<keyof Choices, Question>> = {
  shop: {
    text: "ID of the shop",
    fallback: "1001",
    valid: { expected: "a whole number, 1 or more", isValid: (id) => /^[1-9]\d{0,14}$/.test(id) },
  },
  locale: { text: "Language of the shop", fallback: "en-GB", valid: ofKey(shopKeys.locale) },
  currency: { text: "Currency of the shop", fallback: "GBP", valid: ofKey(shopKeys.currency) },
  framework: { text: "Framework", fallback: "none", valid: Object.keys(frameworks) },
  storage: { text: "Storage", fallback: "memory", valid: ["memory", "redis"] },
  commerce: { text: "Commerce system", fallback: "none", valid: ["none", "vendure"] },
};

function ofKey({ schema, expected }: typeof shopKeys.locale | typeof shopKeys.currency) {
  return { expected, isValid: (value: string) => schema.safeParse(value).success };
}

/** Prompts until the answer is valid. An empty answer is the default. */
async function answer(
  question: Question,
  ask: (text: string) => Promise<string> | undefined,
): Promise<string> {
  const { text, fallback, valid } = question;
  const choices = isList(valid) ? ` (${valid.join(", ")})` : "";
  for (;;) {
    const value = (await ask(`${text}${choices} [${fallback}]: `))?.trim() || fallback;
    const fault = findFault(question, value);
    if (fault === undefined) return value;
    process.stdout.write(`${fault}\n`);
  }
}

function findFault({ valid }: Question, value: string): string | undefined {
  if (isList(valid) ? valid.includes(value) : valid.isValid(value)) return undefined;
  const expected = isList(valid) ? valid.join(", ") : valid.expected;
  const similar = isList(valid) ? findSimilar(value, valid) : undefined;
  const hint = similar === undefined ? "" : `; did you mean ${similar}?`;
  return `found ${JSON.stringify(value)}, expected ${expected}${hint}`;
}

function isList(valid: Question["valid"]): valid is readonly string[] {
  return Array.isArray(valid);
}
