import { expect, test } from "vitest";
import { findSimilar } from "../../shared/similar.ts";

const names = ["addItemToBasket", "getUser", "login", "logout", "session", "redis"];

test.each([
  ["sesion", "session"],
  ["SESSION", "session"],
  ["redsi", "redis"],
  ["addItemtobasket", "addItemToBasket"],
  ["addToBasket", "addItemToBasket"],
  ["logut", "logout"],
  ["loginn", "login"],
  ["getuser", "getUser"],
])("finds that %s means %s", (name, expected) => {
  expect(findSimilar(name, names)).toBe(expected);
});

test.each(["", "x", "basket", "setUsername", "a".repeat(65), "getProducts"])(
  "finds no similar name for %j",
  (name) => {
    expect(findSimilar(name, names)).toBeUndefined();
  },
);
