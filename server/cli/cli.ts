#!/usr/bin/env node
import { StartError } from "../config/start-error.ts";
import {
  assertCommand,
  assertOptionsFit,
  readArguments,
  toPort,
  toWorkers,
  usage,
} from "./arguments.ts";
import { fail, print, printAndExit } from "./output.ts";
import { assertNoErrors, checkConfig } from "../config/check.ts";
import { loadStorefrontConfig } from "../config/load.ts";
import { handleClosedTerminal, ignoreOutputErrors } from "./process-errors.ts";
import { run } from "./run.ts";
import { readVersion } from "../config/package-folder.ts";

process.once("exit", explainUnsettled);
try {
  ignoreOutputErrors();
  await main(process.argv.slice(2));
  process.off("exit", explainUnsettled);
} catch (error) {
  fail(error);
}

// --- Internal helpers ---

/** Node prints nothing if a process ends because nothing can resolve the promise that it waits for: its code is 13. */
function explainUnsettled(code: number): void {
  // Node 20 sets only `process.exitCode`.
  if (code !== 13 && process.exitCode !== 13) return;
  fail(
    new StartError(
      "SF902",
      "the config, a module that it imports, or server.routes awaits a promise that nothing can resolve. Two modules that import each other, and await something, wait forever",
    ),
  );
}

async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments(args);
  if (values.help) return print(process.stdout, usage);
  if (values.version) return print(process.stdout, `${readVersion()}\n`);
  const [command, ...rest] = positionals;
  if (command === undefined) throw new StartError("SF907", `a command is missing\n\n${usage}`);
  const { config: file, port, host = "127.0.0.1", shop, workers } = values;
  assertCommand(command, rest);
  assertOptionsFit(values, command);
  if (command === "init") {
    const { init } = await import("./init/init.ts");
    return init(rest[0] ?? ".", values);
  }
  if (command === "doctor") {
    if (values.url === undefined) return diagnoseConfig(file, values.json);
    const { diagnoseService } = await import("./service-doctor.ts");
    return diagnoseService(values.url, file, values.json);
  }
  if (command === "explain") return explainConfig(file, shop, values.json);
  toPort(port);
  handleClosedTerminal();
  if (workers !== undefined) {
    const { runWorkers } = await import("./primary.ts");
    return runWorkers(toWorkers(workers));
  }
  await run({ command, file, port, host, isFresh: values.fresh });
}

async function diagnoseConfig(file: string | undefined, isJson = false): Promise<void> {
  const { describeDiagnosis, diagnose } = await import("../config/doctor.ts");
  const loaded = await loadStorefrontConfig(process.cwd(), file);
  const diagnostics = await diagnose(loaded.config);
  const isRefused = diagnostics.some(({ severity }) => severity === "error");
  const text = isJson
    ? `${JSON.stringify({ findings: diagnostics })}\n`
    : describeDiagnosis(diagnostics, loaded.file);
  printAndExit(text, isRefused ? 1 : 0);
}

async function explainConfig(
  file: string | undefined,
  shop: string | undefined,
  isJson = false,
): Promise<void> {
  if (shop === undefined) throw new StartError("SF907", "explain needs a shop, as --shop 1001");
  const { describeExplanation, explainShop } = await import("../config/explain.ts");
  const { config } = await loadStorefrontConfig(process.cwd(), file);
  const production = process.env["NODE_ENV"] === "production";
  const { diagnostics, effective } = checkConfig(config, { production });
  assertNoErrors(diagnostics);
  const explained = explainShop(effective, shop, { production });
  printAndExit(isJson ? `${JSON.stringify(explained)}\n` : describeExplanation(explained), 0);
}
