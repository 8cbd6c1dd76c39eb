import { expect, test } from "vitest";
import { createFolder, shops, startCli, until } from "../../_cli.ts";

const config = `import { defineRpcMethod } from "storefront-core";
function findPrice() {
  throw new Error("no price");
}
export default {
  shops: ${shops},
  methods: {
    fail: defineRpcMethod({ handler: () => findPrice() }),
    failInCore: defineRpcMethod({ handler: () => 1n }),
  },
};`;

/** Calls two methods that fail. @returns the log of the server */
async function readLog(options: string): Promise<string> {
  const folder = await createFolder({ "storefront.config.mjs": config });
  const server = await startCli(["start"], { folder, env: { NODE_OPTIONS: options } });
  expect(await server.call("fail")).toMatchObject([500, {}]);
  expect(await server.call("failInCore")).toMatchObject([500, {}]);
  await until(() => /toText[^]*\n$/.test(server.output));
  return server.output;
}

test("a stack trace names the functions of a method and of the server", async () => {
  const log = await readLog("");
  expect(log).toMatch(/at findPrice \(.*storefront\.config\.mjs:3:9\)/);
  expect(log).toMatch(/at .*dispatch.* \(.*\/dist\/chunks\/[\w-]+\.js:\d+:\d+\)/);
  expect(log).toMatch(/at .*toText.* \(.*\/dist\/chunks\/[\w-]+\.js:\d+:\d+\)/);
});

test("a stack trace names the sources of the server with --enable-source-maps", async () => {
  const log = await readLog("--enable-source-maps");
  expect(log).toMatch(/at findPrice \(.*storefront\.config\.mjs:3:9\)/);
  expect(log).toMatch(/at .*dispatch.* \(.*\/rpc\/dispatch\.ts:\d+:\d+\)/);
  expect(log).toMatch(/at .*toText.* \(.*\/server\/response\.ts:\d+:\d+\)/);
});
