import { findSimilar } from "../shared/similar.ts";

/**
 * Checks the definition of a method, for JavaScript: there, no compiler finds a wrong option, and a misspelled `input`
 * would accept every payload. A definition can have other fields, for example the metadata of a wrapper.
 * @throws TypeError that names the option, and its valid values
 */
export function assertDefinition(definition: unknown): void {
  if (typeof definition !== "object" || definition === null) {
    throw wrong(`received ${describe(definition)}. Expected an object with the function handler`);
  }
  const given = definition as Readonly<Record<string, unknown>>;
  for (const { name, meant } of findUnknownOptions(given)) {
    if (meant !== undefined) throw wrong(`unknown option ${name}. Did you mean ${meant}?`);
    throw wrong(`unknown option ${name} with a schema. Expected the schema in input or output`);
  }
  for (const [name, { isValid, expected }] of Object.entries(options)) {
    if (isValid(given[name])) continue;
    throw wrong(`${name}: received ${describe(given[name])}. Expected ${expected}`);
  }
  const { access = "session", requireFresh, signsIn } = given;
  if (requireFresh === true && access !== "user") throw unfit("requireFresh", "user", access);
  if (signsIn === true && access !== "session") throw unfit("signsIn", "session", access);
}

/**
 * Finds the fields of a definition that are probably misspelled options, and those with a schema. A method that
 * `defineRpcMethod` made has every option, so its other fields are none.
 * @returns `meant` is `undefined` if the name is similar to no option, but the field has a schema
 */
export function findUnknownOptions(
  definition: object,
): readonly { readonly name: string; readonly meant: string | undefined }[] {
  if (names.every((name) => name in definition)) return [];
  return Object.entries(definition).flatMap(([name, value]) => {
    if (names.includes(name)) return [];
    const meant = findSimilar(name, names);
    return meant === undefined && !isSchema(value) ? [] : [{ name, meant }];
  });
}

/** Whether a value follows Standard Schema. The schemas of some libraries are functions. */
export function isSchema(value: unknown): boolean {
  const { "~standard": standard } = (value ?? {}) as {
    readonly "~standard"?: { readonly validate?: unknown };
  };
  return typeof standard?.validate === "function";
}

// --- Internal helpers ---

const flag = {
  expected: "true or false",
  isValid: (value: unknown): boolean => value === undefined || typeof value === "boolean",
};

const schema: typeof flag = {
  expected: "a schema, for example of zod, valibot, or arktype",
  isValid: (value) => value === undefined || isSchema(value),
};

const options: Readonly<Record<string, typeof flag>> = {
  access: {
    expected: '"public", "session", or "user"',
    isValid: (value) => ["public", "session", "user", undefined].includes(value as string),
  },
  readOnly: flag,
  requireFresh: flag,
  signsIn: flag,
  input: schema,
  output: schema,
  handler: { expected: "a function", isValid: (value) => typeof value === "function" },
};

/** `toVerb` checks the verb. */
const names: readonly string[] = [...Object.keys(options), "verb"];

function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null || typeof value === "string" || typeof value === "boolean") {
    return JSON.stringify(value);
  }
  return `a value of the type ${typeof value}`;
}

function unfit(option: string, needed: string, access: unknown): TypeError {
  return wrong(
    `${option}: true needs access: ${JSON.stringify(needed)}, and access is ${JSON.stringify(access)}`,
  );
}

function wrong(message: string): TypeError {
  return new TypeError(`defineRpcMethod: ${message}`);
}
