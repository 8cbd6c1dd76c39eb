import { expect, test } from "vitest";
import { toAddress, toReason } from "../../../storage/redis/redis-connections.ts";

test.each([
  ["a host and a port", { options: { host: "redis.internal", port: 6380 } }, "redis.internal:6380"],
  ["nothing", {}, "localhost:6379"],
  ["a socket", { options: { path: "/run/redis.sock" } }, "/run/redis.sock"],
  [
    "sentinels",
    { options: { sentinels: [{ host: "s1", port: 26380 }, { host: "s2" }], name: "mymaster" } },
    'the master "mymaster" of s1:26380, s2:26379',
  ],
  [
    "a cluster's nodes, without user and password",
    {
      startupNodes: [
        "redis://shop:hunter2@n1:7000",
        "n2:7001",
        7002,
        { host: "n3" },
        "shop:hunter2@n4",
      ],
    },
    "n1:7000, n2:7001, localhost:7002, n3:6379, n4:6379",
  ],
])("names the address of a Redis by %s", (_, connection, address) => {
  const double = { ping: async () => "PONG", on: () => {}, ...connection };
  expect(toAddress(double)).toBe(address);
});

test.each([
  [
    Object.assign(new Error("connect ECONNREFUSED 10.0.0.1:6379"), { code: "ECONNREFUSED" }),
    "ECONNREFUSED",
  ],
  [new Error("WRONGPASS invalid username-password pair or user hunter2 is disabled."), "WRONGPASS"],
  [new Error("Ready check failed: NOAUTH Authentication required."), "NOAUTH"],
  [new TypeError("hunter2"), "TypeError"],
])("gives the code of %s as the reason, and nothing else", (error, reason) => {
  expect(toReason(error)).toBe(reason);
});
