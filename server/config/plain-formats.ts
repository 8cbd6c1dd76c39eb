/** Formats of configs without code, by extension. Each parser is loaded alone, because it takes time at startup. */
export const plainFormats: Readonly<
  Record<string, { readonly name: string; load(): Promise<(text: string) => unknown> }>
> = {
  ".json": { name: "JSON", load: async () => parseJson },
  ".jsonc": { name: "JSON with comments", load: loadJsonc },
  ".json5": { name: "JSON5", load: async () => (await import("confbox/json5")).parseJSON5 },
  ".yaml": { name: "YAML", load: loadYaml },
  ".yml": { name: "YAML", load: loadYaml },
  ".toml": { name: "TOML", load: async () => (await import("confbox/toml")).parseTOML },
};

/**
 * Parses a config without code.
 * @throws Error with line and column if the text is invalid. It quotes nothing, because the line can contain a secret
 */
export async function parsePlainConfig(
  text: string,
  { name, load }: (typeof plainFormats)[string],
): Promise<unknown> {
  const parse = await load();
  // Some editors begin a file with a byte order mark.
  const plain = text.replace(/^\uFEFF/, "");
  let position: string;
  try {
    return await parse(plain);
  } catch (error) {
    const [line, column] = findPosition(error, plain);
    position = line === undefined ? "" : `, line ${line}, column ${column}`;
    if (error instanceof CommentsError)
      position += ". It has comments, or an extra comma: rename it to .jsonc";
  }
  // The parser's error quotes the file, so it can't be the cause of this one.
  throw new Error(`it is not valid ${name}${position}`);
}

// --- Internal helpers ---

async function loadYaml(): Promise<(text: string) => unknown> {
  return (await import("confbox/yaml")).parseYAML;
}

/** The errors of Node 20 don't always have a position. */
async function parseJson(text: string): Promise<unknown> {
  try {
    return JSON.parse(text);
  } catch (error) {
    (await loadJsonc())(text);
    throw new CommentsError((error as SyntaxError).message);
  }
}

/** The file is valid JSON with comments. */
class CommentsError extends SyntaxError {}

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

/** The position in a parser's error: TOML, JSON5, YAML, and JSON have different forms. Lines and columns begin at 1. */
function findPosition(error: unknown, text: string): readonly (number | undefined)[] {
  const { line, column, lineNumber, columnNumber, mark, offset, message } = error as {
    readonly [Name in "line" | "column" | "lineNumber" | "columnNumber" | "offset"]?: number;
  } & { readonly mark?: { readonly line: number; readonly column: number }; message: string };
  if (line !== undefined) return [line, column];
  if (lineNumber !== undefined) return [lineNumber, columnNumber];
  // YAML counts from 0.
  if (mark !== undefined) return [mark.line + 1, mark.column + 1];
  const position = offset ?? /in JSON at position (\d+)/.exec(message)?.[1];
  if (position === undefined) return [];
  const before = text.slice(0, Number(position)).split("\n");
  return [before.length, (before.at(-1)?.length ?? 0) + 1];
}
