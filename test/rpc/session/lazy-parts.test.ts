import { beforeEach, expect, test, vi } from "vitest";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { createSetup } from "../../_setup.ts";

const created = vi.hoisted(() => [] as string[]);

vi.mock(import("../../../rpc/session/call-session.ts"), async (load) => {
  const { CallSession } = await load();
  return { CallSession: counted(CallSession) };
});
vi.mock(import("../../../rpc/session/session-tokens.ts"), async (load) => {
  const { SessionTokenStore } = await load();
  return { SessionTokenStore: counted(SessionTokenStore) };
});
vi.mock(import("../../../rpc/lists/visitor-lists.ts"), async (load) => {
  const lists = await load();
  return { ...lists, VisitorLists: counted(lists.VisitorLists) };
});
vi.mock(import("../../../shared/copy.ts"), async (load) => {
  const { copyOf } = await load();
  return {
    copyOf: (value) => {
      created.push("copy");
      return copyOf(value);
    },
  };
});

const methods = {
  enter: defineRpcMethod({
    handler: (_, { createUserBoundSession }) => createUserBoundSession({ id: 7 }),
  }),
  readId: defineRpcMethod({ readOnly: true, handler: (_, { sessionId }) => sessionId }),
};
const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));

beforeEach(() => {
  created.length = 0;
});

test.each([
  ["readId", ["CallSession"]],
  ["getUser", ["CallSession", "copy"]],
  ["getBasket", ["CallSession", "VisitorLists"]],
])("creates only the needed parts of a session in %s", async (method, parts) => {
  const client = (await start({ methods })).client();
  await client.call("enter");
  await client.call(method);
  created.length = 0;
  expect((await client.call(method)).status).toBe(200);
  expect(created).toEqual(parts);
});

// --- Internal helpers ---

/** The same class, which notes its name for each new object. */
function counted<Class extends new (...args: never[]) => object>(original: Class): Class {
  return new Proxy(original, {
    construct(target, args, self) {
      created.push(target.name);
      return Reflect.construct(target, args, self) as object;
    },
  });
}
