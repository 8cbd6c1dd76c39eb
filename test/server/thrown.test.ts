import { expect, test } from "vitest";
import { HTTPError } from "h3";
import { RpcError } from "../../rpc/error.ts";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { describeError, isInstance, messageOf } from "../../shared/log.ts";
import { createFaultyDriver } from "../_faulty-driver.ts";
import { createSetup, describeStorages } from "../_setup.ts";

/** Values that throw when they are read, by the names in the test titles. */
const hostile: Readonly<Record<string, () => unknown>> = {
  "a revoked proxy": () => revoked({}),
  "a revoked proxy of an error": () => revoked(new Error("boom")),
  "a proxy that throws": () => new Proxy(new Error("boom"), { get: fail, getPrototypeOf: fail }),
  "an error with a revoked cause": () => new Error("boom", { cause: revoked({}) }),
  "an error that is its own cause": () => withCause(new Error("boom")),
  "an error whose stack throws": () => withGetter(new Error("boom"), "stack"),
  "an error whose stack is an object": () => Object.assign(new Error("boom"), { stack: {} }),
  "an object without a prototype": () => Object.create(null) as object,
  "a symbol": () => Symbol("boom"),
  nothing: () => undefined,
  "a function": () => fail,
  "an RpcError with a circle in its errors": () => circular(),
  "an RpcError with a BigInt in its errors": () =>
    new RpcError("invalid_input", { errors: [{ path: [1n as never], message: "boom" }] }),
  "an RpcError whose detail throws": () => withGetter(new RpcError("invalid_input"), "detail"),
  "an RpcError without headers that can be read": () =>
    withGetter(new RpcError("invalid_input"), "headers"),
  "an RpcError with data that cannot be read": () =>
    new RpcError("odd", { status: 409, title: "Odd", data: revoked({}) }),
  "an RpcError with the status 204": () => new RpcError("odd", { status: 204, title: "Odd" }),
  "an RpcError with the status 101": () => new RpcError("odd", { status: 101, title: "Odd" }),
  "an HTTPError with the status 304": () => new HTTPError({ status: 304, message: "Odd" }),
};

const internal = { status: 500, body: { code: "internal_error", status: 500 } };

const { allowErrors, start } = createSetup("memory", "request", () => ({ driver: "memory" }));

describeStorages("a method or hook that throws an unreadable value", (setup) => {
  test.each(Object.entries(hostile))("causes a 500 and a log line: %s", async (_, make) => {
    setup.allowErrors();
    const thrower = () => {
      throw make();
    };
    const { client, lines } = await setup.start({
      methods: {
        fail: defineRpcMethod({ handler: thrower }),
        failLater: defineRpcMethod({ handler: async () => thrower() }),
        open: defineRpcMethod({ access: "public", handler: thrower }),
        refused: defineRpcMethod({ handler: () => "never" }),
      },
      hooks: {
        "storefront:rpc:before": ({ method }) => {
          if (method === "refused") thrower();
        },
      },
    });
    for (const method of ["fail", "failLater", "open", "refused"]) {
      const answer = await client().call(method);
      expect(answer).toMatchObject(internal);
      expect(answer.headers.get("content-type")).toBe("application/problem+json");
      const line = lines.findLast(({ level }) => level === "error");
      expect(line).toMatchObject({
        message: "A call failed",
        details: { method, instance: answer.body.instance },
      });
      expect(typeof line?.details?.["error"]).toBe("string");
    }
  });

  test.each(Object.entries(hostile))(
    "doesn't fail the call if a later hook throws: %s",
    async (_, make) => {
      setup.allowErrors();
      const { client, lines } = await setup.start({
        methods: { fine: defineRpcMethod({ handler: () => "fine" }) },
        hooks: {
          "storefront:rpc:after": () => {
            throw make();
          },
        },
      });
      expect((await client().call("fine")).body).toBe("fine");
      expect(lines.at(-1)?.message).toBe("The hook storefront:rpc:after failed");
    },
  );

  test("keeps the rest of a log line with an unreadable value", async () => {
    const speak = defineRpcMethod({
      handler: (_, { log }) => log.info("Spoken", { bad: revoked({}), good: "yes" }),
    });
    const { client, lines } = await setup.start({ methods: { speak } });
    expect((await client().call("speak")).status).toBe(204);
    expect(lines.at(-1)).toMatchObject({
      message: "Spoken",
      details: { bad: "[unreadable]", good: "yes" },
    });
  });
});

test.each(Object.entries(hostile))("causes a 500 in a custom route too: %s", async (_, make) => {
  allowErrors();
  const { app, send, lines } = await start();
  app.get("/own", () => {
    throw make();
  });
  app.get("/own/later", async () => {
    throw make();
  });
  for (const path of ["/own", "/own/later"]) {
    expect((await send(path, {})).status).toBe(500);
    expect(lines.at(-1)).toMatchObject({ level: "error", message: "A call failed" });
  }
});

test.each(Object.entries(hostile))(
  "causes a log line if the call continues: %s",
  async (_, make) => {
    allowErrors();
    const thrower = () => {
      throw make();
    };
    const { client, send, lines } = await start({
      cors: { origin: thrower },
      hooks: { "storefront:rpc:error": thrower },
      auth: { login: thrower, register: thrower, changePassword: thrower },
    });
    const payload = { email: "ada@example.com", password: "correct horse" };
    for (const method of ["login", "register"]) {
      expect((await client().call(method, payload)).status).toBe(500);
      expect(lines.map(({ message }) => message)).toEqual(
        expect.arrayContaining(["The hook storefront:rpc:error failed", "A call failed"]),
      );
    }
    const headers = { origin: "https://else.example", "content-type": "application/json" };
    const answer = await send("/de/api/rpc/getUser", { method: "POST", headers, body: "{}" });
    expect(answer.status).toBe(403);
  },
);

test.each(Object.entries(hostile))("causes a 503 if a storage throws it: %s", async (_, make) => {
  allowErrors();
  const faulty = createFaultyDriver();
  const { client } = await start({ storage: { session: faulty.driver } });
  faulty.before = () => {
    throw make();
  };
  const answer = await client().call("addItemToBasket", { variantId: 7, quantity: 1 });
  expect(answer).toMatchObject({ status: 503, body: { code: "storage_unavailable" } });
});

test.each(Object.entries(hostile))("describes %s without throwing", (_, make) => {
  expect(typeof describeError(make())).toBe("string");
  expect(typeof messageOf(make())).toBe("string");
  expect(typeof isInstance(make(), Error)).toBe("boolean");
});

test("describes the causes of an error", () => {
  const error = new Error("outer", { cause: new TypeError("inner") });
  expect(describeError(error)).toMatch(/^Error: outer\n[^]*\ncaused by TypeError: inner\n/);
});

function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

function fail(): never {
  throw new Error("It cannot be read");
}

function withGetter(error: Error, key: string): Error {
  return Object.defineProperty(error, key, { get: fail });
}

function withCause(error: Error): Error {
  error.cause = error;
  return error;
}

function circular(): RpcError {
  const path: unknown[] = [];
  path.push(path);
  return new RpcError("invalid_input", { errors: [{ path: path as [], message: "boom" }] });
}
