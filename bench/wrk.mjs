import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { loadCore, runOn } from "./cores.mjs";

/** Runs wrk with one thread. @returns the same as `runLoad` */
export async function runWrk(origin, load, { seconds, connections, firstNumber }) {
  const folder = await mkdtemp(join(tmpdir(), "storefront-bench-"));
  try {
    const script = join(folder, "load.lua");
    await writeFile(script, toLua(load, firstNumber));
    const args = ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "10s", "-s", script];
    const { stdout, stderr } = await run(...runOn(loadCore, "wrk", [...args, origin]));
    // wrk reports an error in the script, and continues without the script.
    if (stderr !== "") throw new Error(`wrk: ${stderr}`);
    const [requests, microseconds, p99, errors] = /@@(.*)/.exec(stdout)[1].split(" ").map(Number);
    return { rate: requests / (microseconds / 1e6), requests, p99: p99 / 1000, errors };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

// --- Internal helpers ---

const run = promisify(execFile);

/** A Lua script for wrk. If all requests of a visitor are equal, it creates them before the first one. */
function toLua({ path, body, visitors }, firstNumber) {
  const tables = visitors.map((headers) => {
    const fields = { "content-type": "application/json", ...headers };
    const pairs = Object.entries(fields).map(
      ([name, value]) => `[ ${quote(name)} ] = ${quote(value)}`,
    );
    return `{${pairs.join(",")}}`;
  });
  return `
local path, body = ${quote(path)}, ${quote(body)}
local visitors = {${tables.join(",\n")}}
local count = ${firstNumber}
local fixed = not body:find("%%d") and {}

function init()
  for at, headers in ipairs(fixed and visitors or {}) do
    fixed[at] = wrk.format("POST", path, headers, body)
  end
end

function request()
  count = count + 1
  local at = count % #visitors + 1
  if fixed then return fixed[at] end
  return wrk.format("POST", path, visitors[at], (body:gsub("%%d", string.format("%d", count))))
end

function done(summary, latency)
  local e = summary.errors
  local errors = e.connect + e.read + e.write + e.status + e.timeout
  io.write(string.format("@@%d %d %d %d\\n", summary.requests, summary.duration, latency:percentile(99), errors))
end
`;
}

/** A long string of Lua, which has no escape sequences. */
function quote(text) {
  return `[==[${text}]==]`;
}
