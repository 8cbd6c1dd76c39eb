import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import { findFreePort, startCommand, type RunningCommand } from "../_command.ts";
import { readBlocks, type Block } from "../_snippets.ts";

const run = promisify(execFile);

/** A reader who follows documents in one folder: saves files, runs commands, and compares their output. */
export class Reader {
  readonly #folder: string;
  readonly #replacements: Readonly<Record<string, string>>;
  readonly #env: Record<string, string>;
  #server: (RunningCommand & { readonly origin: string }) | undefined;

  /** @param replacements Parts of commands that differ on this machine, for example the address of Redis. */
  constructor(folder: string, replacements: Readonly<Record<string, string>>) {
    this.#folder = folder;
    this.#replacements = replacements;
    // The test runner's environment differs from a reader's.
    const { NODE_ENV: _, PORT: __, ...env } = process.env;
    this.#env = env as Record<string, string>;
  }

  /**
   * Follows a document from its start to its end.
   * @param onStart runs after the start of each server
   */
  async follow(
    document: string,
    onStart: (command: string, origin: string) => Promise<void>,
  ): Promise<void> {
    for (const block of await readBlocks(document)) {
      if (block.file === "first terminal") {
        const command = block.text.trim();
        await onStart(command, await this.#start(command));
      } else await this.#follow(block);
    }
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
    this.#server = undefined;
  }

  async #follow({ language, file, text }: Block): Promise<void> {
    if (file !== undefined) await writeFile(join(this.#folder, file), text);
    else if (language === "console") await this.#converse(text);
    else if (language === "sh") await this.#run(text);
  }

  async #start(command: string): Promise<string> {
    await this.stop();
    const address = `--host 127.0.0.1 --port ${await findFreePort()}`;
    const isReady = (output: string) => originOf(output) !== undefined;
    const options = { cwd: this.#folder, env: this.#env };
    const server = await startCommand(`${command} ${address}`, options, isReady);
    this.#server = { ...server, origin: originOf(server.output()) as string };
    return this.#server.origin;
  }

  /** Sends the commands after each `$`. */
  async #converse(text: string): Promise<void> {
    for (const turn of text.split(/^\$ /m).filter((part) => part !== "")) {
      const [command = "", ...answer] = turn.trimEnd().split("\n");
      const { host } = new URL(this.#server?.origin as string);
      const printed = await this.#run(command.replace("localhost:3000", host));
      expect(normalise(printed), command).toBe(normalise(answer.join("\n")));
    }
  }

  /** @throws if the command exits with another code than 0 */
  async #run(command: string): Promise<string> {
    let local = command;
    for (const [part, replacement] of Object.entries(this.#replacements)) {
      local = local.replaceAll(part, replacement);
    }
    const options = { cwd: this.#folder, env: this.#env };
    const { stdout } = await run("bash", ["-euc", local], options);
    return stdout.trimEnd();
  }
}

// --- Internal helpers ---

/** The URL that a server prints: `storefront`, or Vite. */
function originOf(output: string): string | undefined {
  const [, found] = /(?:listens on|Local:) +(http:\/\/[\w.:]+)/.exec(output) ?? [];
  return found;
}

/** Replaces values that differ from run to run. */
function normalise(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g, "<uuid>")
    .replaceAll(/"addedAt":\d{13}/g, '"addedAt":<time>');
}
