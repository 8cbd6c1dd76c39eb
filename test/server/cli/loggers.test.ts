import { PassThrough, Writable } from "node:stream";
import pino from "pino";
import { describe, expect, test, vi } from "vitest";
import winston from "winston";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { detailsFirst, type Logger } from "../../../shared/log.ts";
import { createSetup } from "../../_setup.ts";

const methods = {
  fail: defineRpcMethod({
    handler(_, { log }) {
      log.info("about to fail", { basket: 7 });
      log.warn("really");
      throw new Error("the backend is on fire");
    },
  }),
};

type Line = Readonly<Record<string, unknown>>;

/** Lines of JSON, as a logger writes them. */
function createSink(): { readonly stream: Writable; readonly lines: () => Line[] } {
  let text = "";
  const stream = new PassThrough();
  stream.on("data", (chunk) => (text += String(chunk)));
  const lines = () =>
    text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Line);
  return { stream, lines };
}

/** Takes its details first, as bunyan does; winston's transport takes an object for each line. */
function createBunyanLike() {
  const written: Line[] = [];
  const write = (details: object, message: string) => void written.push({ ...details, message });
  const log = { debug: write, info: write, warn: write, error: write };
  return { log, lines: () => written };
}

const loggers: Readonly<Record<string, () => { log: Logger; lines: () => Line[] }>> = {
  pino: () => {
    const { stream, lines } = createSink();
    return { log: pino({ messageKey: "message" }, stream), lines };
  },
  "a child of pino": () => {
    const { stream, lines } = createSink();
    const log = pino({ messageKey: "message" }, stream).child({ service: "shop" });
    return { log, lines };
  },
  winston: () => {
    const { stream, lines } = createSink();
    const format = winston.format.json();
    const transports = [new winston.transports.Stream({ stream })];
    return { log: winston.createLogger({ format, transports }), lines };
  },
  bunyan: () => {
    const { log, lines } = createBunyanLike();
    const marks = { addStream: () => undefined, addSerializers: () => undefined };
    return { log: Object.assign(log, marks) as object as Logger, lines };
  },
  "a function with the methods of one": () => {
    const { log, lines } = createBunyanLike();
    return { log: Object.assign(() => undefined, detailsFirst(log)), lines };
  },
  "one wrapped by detailsFirst": () => {
    const { log, lines } = createBunyanLike();
    return { log: detailsFirst(log), lines };
  },
};

describe("a custom logger", () => {
  const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));

  test.each(Object.keys(loggers))(
    "receives the message and details of each line: %s",
    async (name) => {
      const { log, lines } = (loggers[name] as (typeof loggers)[string])();
      const { client } = await start({ log, methods });
      const { body } = await client().call("fail");
      await vi.waitFor(() => expect(lines().length).toBeGreaterThanOrEqual(3));
      const own = { shopId: 1001, method: "fail" };
      const written = lines().filter((line) => line["method"] === "fail");
      expect(written).toMatchObject([
        { message: "about to fail", ...own, basket: 7 },
        { message: "really", ...own },
        { message: "A call failed", ...own, instance: body.instance },
      ]);
      expect(written[2]?.["error"]).toContain("the backend is on fire");
    },
  );

  test("can be the console", async () => {
    const spy = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const { client } = await start({ log: console, methods });
    const { body } = await client().call("fail");
    expect(spy).toHaveBeenCalledWith(
      "A call failed",
      expect.objectContaining({ instance: body.instance }),
    );
    spy.mockRestore();
  });
});
