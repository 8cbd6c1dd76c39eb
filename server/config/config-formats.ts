/** Whether a config with this extension contains values only, without code. */
export function isPlainFormat(extension: string): boolean {
  return Object.hasOwn(formats, extension);
}

/** The extensions of configs without code, for example `.json`. */
export function plainExtensions(): readonly string[] {
  return Object.keys(formats);
}

/**
 * Parses a config without code.
 * @throws Error with line and column if the text is invalid. It quotes nothing, because the line can contain a secret
 */
export async function parsePlainConfig(text: string, extension: string): Promise<unknown> {
  const { name, load } = formats[extension] as Format;
  const parse = await load();
  let position: string;
  try {
    return await parse(text);
  } catch (error) {
    const { line, column } = findPosition(error, text);
    position = line === undefined ? "" : `, line ${line}, column ${column}`;
  }
  // The parser's error quotes the file, so it can't be the cause of this one.
  throw new Error(`it is not valid ${name}${position}`);
}

// --- Internal helpers ---

interface Format {
  readonly name: string;
  /** Loads one parser only, because each takes time at startup. */
  readonly load: () => Promise<(text: string) => unknown>;
}

const formats: Readonly<Record<string, Format>> = {
  ".json": { name: "JSON", load: async () => parseJson },
  ".jsonc": { name: "JSON with comments", load: loadJsonc },
  ".json5": { name: "JSON5", load: async () => (await import("confbox/json5")).parseJSON5 },
  ".yaml": { name: "YAML", load: loadYaml },
  ".yml": { name: "YAML", load: loadYaml },
  ".toml": { name: "TOML", load: async () => (await import("confbox/toml")).parseTOML },
};

async function loadYaml(): Promise<(text: string) => unknown> {
  return (await import("confbox/yaml")).parseYAML;
}

/** The errors of Node 20 don't always have a position. */
async function parseJson(text: string): Promise<unknown> {
  try {
    return JSON.parse(text);
  } catch (error) {
    (await loadJsonc())(text);
    throw error;
  }
}

/** The parser ignores invalid parts, and returns the rest. */
async function loadJsonc(): Promise<(text: string) => unknown> {
  const { parseJSONC } = await import("confbox/jsonc");
  return (text) => {
    const errors: { readonly offset: number }[] = [];
    const value: unknown = parseJSONC(text, { errors: errors as never, allowTrailingComma: true });
    if (errors[0] !== undefined) throw Object.assign(new Error(), errors[0]);
    return value;
  };
}

/** The position in a parser's error: each parser has its own form. Lines and columns begin at 1. */
function findPosition(error: unknown, text: string): { line?: number; column?: number } {
  const { line, column, lineNumber, columnNumber, mark, offset, message } = error as ParserError;
  if (mark !== undefined) return { line: mark.line + 1, column: mark.column + 1 };
  if (line !== undefined && column !== undefined) return { line, column };
  if (lineNumber !== undefined && columnNumber !== undefined) {
    return { line: lineNumber, column: columnNumber };
  }
  const position = offset ?? /in JSON at position (\d+)/.exec(message)?.[1];
  if (position === undefined) return {};
  const before = text.slice(0, Number(position)).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

interface ParserError {
  readonly message: string;
  /** From YAML: lines and columns begin at 0. */
  readonly mark?: { readonly line: number; readonly column: number };
  /** From TOML. */
  readonly line?: number;
  readonly column?: number;
  /** From JSON5. */
  readonly lineNumber?: number;
  readonly columnNumber?: number;
  /** From JSON with comments. */
  readonly offset?: number;
}
