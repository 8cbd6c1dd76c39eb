import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, readdir, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { openDriver } from "../../../storage/open-driver.ts";
import { compileStorage } from "../../_compiled.ts";
import { createDirectory, increment, openCounters, setTo, until } from "../../_documents.ts";

describe.each(["fs", "fs-lite"])("%s by name", (driver) => {
  test("leaves the document unchanged if a write fails midway", async () => {
    const base = await createDirectory();
    const program = `
      const counters = store.collection("counter:1", (value) => true);
      const texts = ["x".repeat(500), "y".repeat(100_000)];
      for (const text of texts) {
        const change = () => ({ set: { count: text.length, text } });
        await counters.update("a", change).then(
          () => console.log("written"),
          (error) => console.log(error.name, error.cause?.code),
        );
      }
      console.log((await counters.get("a")).value.count);
    `;
    const script = await toScript(driver, base, program);
    // The largest file that the process may write, in blocks of 1024 bytes at most.
    const shell = `ulimit -f 8; exec "$0" --input-type=module --eval "$1"`;
    const { stdout } = await promisify(execFile)("bash", ["-c", shell, process.execPath, script]);
    expect(stdout).toBe("written\nStorageUnavailableError EFBIG\n500\n");
    expect(await readdir(join(base, "counter", "1"))).toEqual(["a"]);
  });

  test("keeps whole documents if the process is killed while it writes", async () => {
    const base = await createDirectory();
    const program = `
      const counters = store.collection("counter:1", (value) => true);
      const note = "x".repeat(2_000_000);
      await counters.update("a", () => ({ set: { count: 1, note } }));
      const driver = openDriver({ driver: "${driver}", base: "${base}" });
      const bytes = await driver.getItemRaw("counter:1:a", {});
      const writeOn = async (key) => {
        for (;;) await driver.setItemRaw("counter:1:" + key, bytes, {});
      };
      for (const key of ["a", "b", "c", "d"]) void writeOn(key);
      setTimeout(() => console.log("writing"), 20);
      await new Promise(() => {});
    `;
    const script = await toScript(driver, base, program);
    for (let round = 0; round < 4; round++) {
      const child = spawn(process.execPath, ["--input-type=module", "--eval", script]);
      await once(child.stdout, "data");
      child.kill("SIGKILL");
      await once(child, "close");
      const { counters, lines } = openCounters(openDriver({ driver, base }));
      for (const key of ["a", "b", "c", "d"]) await counters.get(key);
      expect(lines).toEqual([]);
    }
  });

  test("shows no half document to a parallel read", async () => {
    const base = await createDirectory();
    const { counters } = openCounters(openDriver({ driver, base }));
    const reader = openCounters(openDriver({ driver, base }));
    const note = "x".repeat(2_000_000);
    await counters.update("a", setTo(0));
    const writer = { isWriting: true };
    const reading = (async () => {
      while (writer.isWriting) expect((await reader.counters.get("a")).value).toBeDefined();
    })();
    for (let count = 0; count < 20; count++) {
      await counters.update("a", () => ({ set: { count, note } }));
    }
    writer.isWriting = false;
    await reading;
    expect(reader.lines).toEqual([]);
  });

  test("creates files that no other user of the machine can read", async () => {
    const base = await createDirectory();
    const { counters } = openCounters(openDriver({ driver, base }));
    await counters.update("a", setTo(1));
    const file = join(base, "counter", "1", "a");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(base, "counter"))).mode & 0o777).toBe(0o700);
    // The format of earlier versions.
    await writeFile(join(base, "counter", "1", "b"), await readFile(file), { mode: 0o644 });
    await counters.update("b", increment);
    expect((await stat(join(base, "counter", "1", "b"))).mode & 0o777).toBe(0o600);
  });

  test("removes the temporary files of a killed process, but not recent ones", async () => {
    const base = await createDirectory();
    const earlier = openCounters(openDriver({ driver, base }));
    await earlier.counters.update("a", setTo(1));
    await earlier.store.close();
    const folder = join(base, "counter", "1");
    const [old, recent] = ["0", "1"].map((digit) => `a.${digit.repeat(36)}.tmp`) as [
      string,
      string,
    ];
    for (const name of [old, recent]) await writeFile(join(folder, name), '{"vers');
    const anHourAgo = new Date(Date.now() - 3_600_000);
    await utimes(join(folder, old), anHourAgo, anHourAgo);
    const later = openDriver({ driver, base });
    const { counters, store } = openCounters(later);
    await store.ready();
    await until(async () => !(await readdir(folder)).includes(old));
    expect((await readdir(folder)).toSorted()).toEqual(["a", recent]);
    expect(await later.getKeys("", {})).toHaveLength(1);
    expect((await counters.get("a")).value).toEqual({ count: 1 });
  });
});

/** A program for a process of its own, with a store on a folder. */
async function toScript(driver: string, base: string, body: string): Promise<string> {
  return `
    import { openDocumentStore, openDriver } from "${await compileStorage()}";
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const store = openDocumentStore(openDriver(${JSON.stringify({ driver, base })}), { log });
    ${body}
    await store.close();
  `;
}
