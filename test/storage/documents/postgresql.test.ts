// Named so, because the types of unstorage would load those of "db0", which name packages that are not there.
import { createDatabase } from "db0-client";
import createConnector from "db0-client/connectors/postgresql";
import createDatabaseDriver from "unstorage/drivers/db0";
import type { Driver } from "unstorage";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { StorageUnavailableError } from "../../../storage/documents/unavailable.ts";
import { testDocuments } from "../../_document-tests.ts";
import { increment, openCounters, until } from "../../_documents.ts";
import { describeWithPostgreSql, startPostgreSql, type TestPostgreSql } from "../../_postgresql.ts";
import { createSetup } from "../../_setup.ts";

describeWithPostgreSql("PostgreSQL", () => {
  let server: TestPostgreSql;
  let count = 0;
  beforeAll(async () => {
    server = await startPostgreSql();
  }, 60_000);
  afterAll(() => server.stop());

  /** A driver with a table of its own. */
  function createDriver(): Driver {
    const database = createDatabase(createConnector({ url: server.url }));
    return createDatabaseDriver({ database, tableName: `documents_${++count}` }) as Driver;
  }

  describe("as a storage", () => {
    testDocuments(async () => createDriver());
  });

  describe("during an outage", () => {
    let driver: Driver;
    const { start, allowErrors } = createSetup("memory", "request", () => driver);

    test("fails a call with 503 within the time limit, and is used again afterwards", async () => {
      driver = createDriver();
      allowErrors();
      const { client } = await start({ callTimeout: 600 });
      const user = client();
      await user.call("addItemToBasket", { variantId: 1, quantity: 1 });
      server.pause();
      // Without the limit, this call would last until `callTimeout`.
      const { status, body } = await user.call("addItemToBasket", { variantId: 2, quantity: 1 });
      expect([status, body.code]).toEqual([503, "storage_unavailable"]);
      server.resume();
      await until(async () => (await user.call("getBasket")).status === 200);
      const { status: again } = await user.call("addItemToBasket", { variantId: 3, quantity: 1 });
      expect(again).toBe(200);
    });

    test("loses no acknowledged write", async () => {
      const { counters } = openCounters(createDriver());
      let acknowledged = (await counters.update("a", increment)).value?.count ?? 0;
      for (let round = 0; round < 2; round++) {
        server.pause();
        await expect(counters.update("a", increment)).rejects.toThrow(StorageUnavailableError);
        server.resume();
        await until(async () => {
          const snapshot = await counters.update("a", increment).catch(() => undefined);
          if (snapshot === undefined) return false;
          expect(snapshot.value?.count).toBeGreaterThan(acknowledged);
          acknowledged = snapshot.value?.count ?? 0;
          return true;
        });
      }
    });
  });

  test("doesn't end the process when it restarts, and the server logs the lost connection", async () => {
    const { counters, lines } = openCounters(createDriver());
    await counters.update("a", increment);
    await server.restart();
    await until(async () => lines.some(({ level }) => level === "error"));
    expect(lines[0]?.message).toBe("The client of a storage failed");
    const other = openCounters(createDriver());
    expect((await other.counters.update("a", increment)).value).toEqual({ count: 1 });
  });
});
