import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { fileURLToPath } from "node:url";
import { assertBuilt } from "./_process.ts";

/** A raw request. */
export interface MeasuredCall {
  /** Empty for a batch. */
  readonly method: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A complete response. */
export interface MeasuredAnswer {
  readonly status: number;
  readonly text: string;
  readonly cookie: string | undefined;
}

/** A server in its own process that measures its event loop. */
export interface MeasuredServer {
  send(call: MeasuredCall): Promise<MeasuredAnswer>;
  /**
   * Milliseconds of CPU time of the longest tick of the event loop, from the first call to the last response.
   * Other calls wait for that tick.
   */
  measure(calls: readonly MeasuredCall[]): Promise<number>;
  close(): Promise<void>;
}

/** Starts the built server with `fixtures/measured.config.mjs`. */
export async function startMeasuredServer(): Promise<MeasuredServer> {
  await assertBuilt();
  const child = fork(cli, ["start", "--config", "measured.config.mjs", "--port", "0"], {
    cwd: fileURLToPath(new URL("fixtures", import.meta.url)),
    execArgv: ["--expose-gc"],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const end = () => child.kill("SIGKILL");
  process.once("exit", end);
  const port = await findPort(child);
  const send = (call: MeasuredCall) => sendTo(port, call);
  return {
    send,
    async measure(calls) {
      await ask(child, "begin");
      for (const call of calls) await send(call);
      return (await ask(child, "end")).longest;
    },
    async close() {
      process.off("exit", end);
      const exited = once(child, "exit");
      end();
      await exited;
    },
  };
}

// --- Internal helpers ---

const cli = fileURLToPath(new URL("../dist/server/cli/cli.js", import.meta.url));

async function ask(child: ChildProcess, message: string): Promise<{ longest: number }> {
  const answer = once(child, "message") as Promise<[{ longest: number }]>;
  child.send(message);
  return (await answer)[0];
}

function findPort(child: ChildProcess): Promise<number> {
  let output = "";
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        const port = /listens on http:\/\/\S+:(\d+)/.exec(output)?.[1];
        if (port !== undefined) resolve(Number(port));
      });
    }
    child.once("exit", () => reject(new Error(`The server did not start:\n${output}`)));
  });
}

function sendTo(port: number, { method, body, headers }: MeasuredCall): Promise<MeasuredAnswer> {
  return new Promise((resolve, reject) => {
    const options = {
      port,
      method: "POST",
      path: `/api/rpc${method && "/"}${method}`,
      headers: { "content-type": "application/json", "x-shop-id": "1001", ...headers },
    };
    const call = request(options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () => {
        const [cookie] = response.headers["set-cookie"] ?? [];
        resolve({ status: response.statusCode ?? 0, text, cookie: cookie?.split(";", 1)[0] });
      });
    });
    call.on("error", reject).end(body);
  });
}
