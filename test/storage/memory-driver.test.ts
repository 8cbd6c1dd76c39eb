import { createStorage } from "unstorage";
import createPlainDriver from "unstorage/drivers/memory";
import { expect, test } from "vitest";
import { createMemoryDriver } from "../../storage/memory-driver.ts";

test("behaves like unstorage's memory driver", async () => {
  const [own, plain] = await Promise.all([createMemoryDriver(), createPlainDriver()].map(use));
  expect(own).toEqual(plain);
  expect(own).toContainEqual(["a", "b:c"]);
});

async function use(driver: ReturnType<typeof createPlainDriver>): Promise<readonly unknown[]> {
  const storage = createStorage({ driver });
  const bytes = new Uint8Array([1, 2]);
  await storage.setItem("a", { count: 1 });
  await storage.setItemRaw("b:c", bytes);
  const found = [
    driver.name,
    await storage.getItem("a"),
    await storage.getItemRaw("b:c"),
    await storage.getItem("d"),
    await storage.hasItem("a"),
    (await storage.getKeys()).toSorted(),
  ];
  await storage.removeItem("a");
  found.push(await storage.hasItem("a"), await storage.getKeys());
  await storage.clear();
  found.push(await storage.getKeys());
  await storage.setItem("a", 1);
  await storage.dispose();
  found.push(await storage.getKeys());
  return found;
}
