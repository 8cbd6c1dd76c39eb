import { error } from "./diagnostic-kind.ts";

/** Errors that keep a command from starting, besides those of the config. docs/doctor.md has the same table. */
export const startErrors = {
  SF901: error(
    "the config file doesn't exist",
    "storefront.config.ts in the current folder, or --config",
  ),
  SF902: error(
    "the config can't be read, or its code fails",
    "a module with the config as its default export, or valid JSON, YAML, or TOML",
  ),
  SF903: error(
    "another process uses the port",
    "a free port: see --port, and prometheus({ port }) for the metrics",
  ),
  SF904: error(
    "the user isn't allowed to use the port",
    "a port above 1023: see --port, and prometheus({ port }) for the metrics",
  ),
  SF905: error(
    "the address of --host, or of prometheus({ host }), isn't an address of this machine",
    "127.0.0.1, 0.0.0.0, or another address of this machine",
  ),
  SF906: error(
    "server.routes throws an error, or its promise is rejected",
    "a function that adds routes",
  ),
  SF907: error(
    "a command or an option is unknown or invalid",
    "a command and options that storefront --help lists",
  ),
};

/** An error that keeps a command from starting. */
export class StartError extends Error {
  /** `SF702` is a finding of the doctor, too. */
  readonly code: keyof typeof startErrors | "SF702";

  /** @param message one line for an operator, and then other lines, if there are any */
  constructor(code: StartError["code"], message: string, options?: ErrorOptions) {
    super(message.replace(/$/m, ` (${code})`), options);
    this.code = code;
  }
}
