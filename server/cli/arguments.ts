import { parseArgs } from "node:util";
import { messageOf } from "../../shared/log.ts";
import { findSimilar } from "../../shared/similar.ts";
import { StartError } from "../config/start-error.ts";

/** The names of all commands. */
export const commands = ["start", "dev", "doctor", "explain", "init"] as const;

/** The output of `storefront --help`. */
export const usage = `Usage: storefront <command> [options]

Commands
  start          Start the server; NODE_ENV=production rejects settings for development
  dev            Start in development mode, and reload when the config, a TypeScript file
                 that it imports, or .env changes
  doctor         Check the config and its storages for production, or with --url a running
                 service; the exit code is 1 if there are errors
  explain        Print the effective settings of a shop and the source of each value
  init [FOLDER]  Create a project with a page that calls a method of its own (default: in this
                 folder). Prompt for missing options. Never overwrite a file

Options
  --config FILE  The config (default: storefront.config.ts in this folder); variables of a
                 .env file next to it are added to the environment
  --shop ID      The shop to explain, or the shop of the project of init
  --locale TAG   The language of the shop of init, for example de-DE
  --currency C   The currency of the shop of init, for example EUR
  --framework F  The framework of init: none, nuxt, next, or sveltekit
  --storage S    The storage of init: memory or redis
  --commerce S   The commerce system of init: none or vendure
  --yes          Create the project of init with the default values of missing options
  --url URL      The public URL of the service that doctor checks through its proxies
  --json         Print the result of doctor or explain as JSON
  --fresh        Start dev with no sessions, baskets, and accounts, instead of those of its last run
  --port N       The port (default: the variable PORT, or 3000; 0 for any free port)
  --host H       The address to listen on (default: 127.0.0.1; 0.0.0.0 for all addresses)
  --workers N    Start N processes that share the port, only for start; SIGHUP restarts them
                 one after the other with the changed config, without a failed call
  --help         Print this help
  --version      Print the version
`;

/** All options. With `for`, only these commands have the option. */
const options = {
  config: { type: "string" },
  port: { type: "string" },
  host: { type: "string" },
  shop: { type: "string" },
  url: { type: "string", for: ["doctor"] },
  json: { type: "boolean", for: ["doctor", "explain"] },
  fresh: { type: "boolean", for: ["dev"] },
  locale: { type: "string", for: ["init"] },
  currency: { type: "string", for: ["init"] },
  framework: { type: "string", for: ["init"] },
  storage: { type: "string", for: ["init"] },
  commerce: { type: "string", for: ["init"] },
  yes: { type: "boolean", for: ["init"] },
  workers: { type: "string", for: ["start"] },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
} as const;

/** @throws StartError with one line for an operator if an option is unknown, or lacks its value */
export function readArguments(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    // The rest of Node's message is about files that are named `--x`.
    const [message] = messageOf(error).split(". To specify");
    throw new StartError("SF907", `${message}\nSee storefront --help`, { cause: error });
  }
}

/**
 * The port of `--port`, or else of the variable PORT, or else 3000.
 * @throws StartError with one line for an operator if it isn't a port
 */
export function toPort(given: string | undefined): number {
  const variable = process.env["PORT"];
  const text = given ?? (variable || "3000");
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) {
    const name = given === undefined ? "the variable PORT" : "--port";
    throw new StartError(
      "SF907",
      `${name}: found ${JSON.stringify(text)}, expected a number from 0 to 65535`,
    );
  }
  return port;
}

/**
 * Checks the name of a command, and that no other words follow it, except the folder of `init`.
 * @throws StartError with the usage, and with the command that was probably meant
 */
export function assertCommand(
  command: string,
  rest: readonly string[],
): asserts command is (typeof commands)[number] {
  const isKnown = (commands as readonly string[]).includes(command);
  if (isKnown && rest.length <= (command === "init" ? 1 : 0)) return;
  const similar = isKnown ? undefined : findSimilar(command, commands);
  const hint = similar === undefined ? "" : `. Did you mean ${similar}?`;
  throw new StartError(
    "SF907",
    `Unknown command "${[command, ...rest].join(" ")}"${hint}\n\n${usage}`,
  );
}

/**
 * Checks the options that only some commands have.
 * @throws StartError with one line for an operator if the command doesn't have an option
 */
export function assertOptionsFit(values: Readonly<Record<string, unknown>>, command: string): void {
  for (const [name, option] of Object.entries(options)) {
    const fitting: readonly string[] | undefined = "for" in option ? option.for : undefined;
    if (values[name] === undefined || fitting === undefined || fitting.includes(command)) continue;
    const expected = fitting.join(" or ");
    throw new StartError("SF907", `--${name}: expected the command ${expected}, found ${command}`);
  }
}

/**
 * The number of `--workers`.
 * @throws StartError with one line for an operator if it isn't a number from 1 to 128
 */
export function toWorkers(given: string): number {
  const count = Number(given);
  if (!/^\d{1,3}$/.test(given) || count < 1 || count > 128) {
    throw new StartError(
      "SF907",
      `--workers: found ${JSON.stringify(given)}, expected a number from 1 to 128`,
    );
  }
  return count;
}
