/** A custom storage with compare-and-swap that uses only the public entry point. */

import { createRequire } from "node:module";
import {
  asideSeconds,
  defineStorageDriver,
  pingKey,
  type AdapterDriver,
  type Expected,
  type Replacement,
  type StorageAdapter,
} from "../storage/index.ts";

/** Stores documents in a table of PostgreSQL, with conditional writes. @param table letters, digits and `_` */
export function createTableDriver(url: string, table: string): AdapterDriver {
  return defineStorageDriver({
    name: "postgresql-table",
    atomic: "cluster",
    createAdapter: ({ log }) => {
      const pool = new Pool({ connectionString: url });
      pool.on("error", (error) => log.error("PostgreSQL failed", { reason: error.message }));
      return createTableAdapter(pool, table);
    },
  });
}

// --- Internal helpers ---

/** The functions of `pg` that are used: it has no types of its own. */
interface PgPool {
  query(
    sql: string,
    values?: readonly unknown[],
  ): Promise<{ readonly rows: readonly { readonly text: string }[]; readonly rowCount: number }>;
  on(event: "error", listener: (error: Error) => void): unknown;
  end(): Promise<void>;
}

const { Pool } = createRequire(import.meta.url)("pg") as {
  readonly Pool: new (options: { readonly connectionString: string }) => PgPool;
};

function createTableAdapter(pool: PgPool, table: string): StorageAdapter {
  const created = createTable(pool, table);
  created.catch(() => {});
  const sweep = setInterval(() => {
    void run(`DELETE FROM ${table} WHERE expires_at <= now()`).catch(() => {});
  }, 10_000);
  sweep.unref();
  return {
    capabilities: { atomic: "cluster", changes: "unheard", ttl: "stored" },
    read,
    async swap(key, expected, next) {
      const swapped = await change(key, expected, next);
      if (swapped) return { swapped };
      const current = await read(key);
      // Nothing to remove.
      const isDone = current === undefined && expected.match === "absent" && next === undefined;
      return isDone ? { swapped: isDone } : { swapped: false, current };
    },
    async take(key) {
      const { rows } = await query(`DELETE FROM ${table} WHERE key = $1 RETURNING text`, [key]);
      return rows[0]?.text;
    },
    async setAside(key, text) {
      const swapped = await run(
        `WITH moved AS (DELETE FROM ${table} WHERE key = $1 AND text = $2 RETURNING text)
         INSERT INTO ${table} SELECT $3, text, now() + make_interval(secs => $4) FROM moved
         ON CONFLICT (key) DO UPDATE SET text = excluded.text, expires_at = excluded.expires_at`,
        [key, text, `${key}:unreadable`, asideSeconds],
      );
      return swapped ? { swapped } : { swapped: false, current: await read(key) };
    },
    async ping() {
      await run(
        `INSERT INTO ${table} VALUES ($1, '') ON CONFLICT (key) DO UPDATE SET text = excluded.text`,
        [pingKey],
      );
    },
    async close() {
      clearInterval(sweep);
      await pool.end();
    },
  };

  /** Writes a row if the current row matches. */
  async function change(
    key: string,
    { match, text }: Expected,
    next: Replacement | undefined,
  ): Promise<boolean> {
    const isSame = match === "prefix" ? "starts_with(text, $2)" : "text = $2";
    if (next === undefined) {
      if (match === "absent") return false;
      return run(`DELETE FROM ${table} WHERE key = $1 AND ${isSame}`, [key, text]);
    }
    const end = next.expiresAt === undefined ? null : new Date(next.expiresAt);
    if (match === "absent") {
      const insert = `INSERT INTO ${table} VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`;
      return run(insert, [key, next.text, end]);
    }
    const update = `UPDATE ${table} SET text = $3, expires_at = $4 WHERE key = $1 AND ${isSame}`;
    return run(update, [key, text, next.text, end]);
  }

  async function read(key: string): Promise<string | undefined> {
    const { rows } = await query(`SELECT text FROM ${table} WHERE key = $1`, [key]);
    return rows[0]?.text;
  }

  /** Whether a statement changed a row. */
  async function run(sql: string, values: readonly unknown[] = []): Promise<boolean> {
    const { rowCount } = await query(sql, values);
    return rowCount === 1;
  }

  async function query(sql: string, values: readonly unknown[]) {
    await created;
    return pool.query(sql, values);
  }
}

async function createTable(pool: PgPool, table: string): Promise<void> {
  const columns = `key text COLLATE "C" PRIMARY KEY, text text NOT NULL, expires_at timestamptz`;
  try {
    await pool.query(`CREATE TABLE IF NOT EXISTS ${table} (${columns})`);
  } catch (error) {
    // Another process creates the table at the same time: unique_violation, duplicate_table, or duplicate_object.
    const { code } = error as { readonly code?: unknown };
    if (code !== "23505" && code !== "42P07" && code !== "42710") throw error;
  }
}
