/** Whether a config of this extension is plain values, and no code. */
export function isPlainFormat(extension: string): boolean {
  return Object.hasOwn(formats, extension);
}

/** The extensions of plain values, as `.json`. */
export function plainExtensions(): readonly string[] {
  return Object.keys(formats);
}

/**
 * Reads a config of plain values.
 * @throws Error if there is a mistake in it. It says where, and quotes nothing: the line may hold a secret
 */
export async function parsePlainConfig(text: string, extension: string): Promise<unknown> {
  const { name, load } = formats[extension] as Format;
  const parse = await load();
  let place: string;
  try {
    return await parse(text);
  } catch (error) {
    const { line, column } = findPlace(error, text);
    place = line === undefined ? "" : `, line ${line}, column ${column}`;
  }
  // The parser's error quotes the file, so it is no cause of this one.
  throw new Error(`it is not valid ${name}${place}`);
}

// --- Internal helpers ---

interface Format {
  readonly name: string;
  /** Only the parser that is needed is loaded: all that is takes time at a start. */
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

/** Node 20 does not always say where a mistake is, and quotes what is around it. */
async function parseJson(text: string): Promise<unknown> {
  try {
    return JSON.parse(text);
  } catch (error) {
    (await loadJsonc())(text);
    throw error;
  }
}

/** The parser itself passes over mistakes, and gives what is left. */
async function loadJsonc(): Promise<(text: string) => unknown> {
  const { parseJSONC } = await import("confbox/jsonc");
  return (text) => {
    const errors: { readonly offset: number }[] = [];
    const value: unknown = parseJSONC(text, { errors: errors as never, allowTrailingComma: true });
    if (errors[0] !== undefined) throw Object.assign(new Error(), errors[0]);
    return value;
  };
}

/** Where a parser's error is: each says it in a way of its own. Lines and columns begin at 1. */
function findPlace(error: unknown, text: string): { line?: number; column?: number } {
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
  /** Of YAML; they begin at 0. */
  readonly mark?: { readonly line: number; readonly column: number };
  /** Of TOML. */
  readonly line?: number;
  readonly column?: number;
  /** Of JSON5. */
  readonly lineNumber?: number;
  readonly columnNumber?: number;
  /** Of JSON with comments. */
  readonly offset?: number;
}
