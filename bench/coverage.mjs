import { Session } from "node:inspector/promises";
import { setTimeout } from "node:timers/promises";

/**
 * Counts the calls of functions in this process. Start it before the modules load.
 * @param folder the URL of the folder whose modules are counted
 */
export async function startCoverage(folder) {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });

  /** The modules whose functions ran since the last take, each with the number of calls per function. */
  async function take() {
    const { result } = await session.post("Profiler.takePreciseCoverage");
    return result
      .filter(({ url }) => url.startsWith(folder))
      .map(({ url, functions }) => ({ file: url.slice(folder.length), calls: toCalls(functions) }))
      .filter(({ calls }) => calls.length > 0)
      .toSorted((a, b) => a.file.localeCompare(b.file));
  }

  return {
    /** Runs some code several times. @returns the middle run by calls, in case a timer runs in one of them */
    async measure(run) {
      const runs = [];
      for (let count = 0; count < runCount; count++) {
        // The server can still work after a response, for example on writes in the background.
        await setTimeout(pauseMilliseconds);
        await take();
        await run();
        runs.push(toEntered(await take()));
      }
      return runs.toSorted((a, b) => a.callCount - b.callCount)[runCount >> 1];
    },
  };
}

// --- Internal helpers ---

const runCount = 5;
const pauseMilliseconds = 50;

/** V8 counts each function in its first range. The code of a module itself is a function, too, but runs only once. */
function toCalls(functions) {
  return functions
    .map(({ functionName, ranges }) => ({
      name: functionName || "(anonymous)",
      count: ranges[0].count,
    }))
    .filter(({ count }) => count > 0);
}

function toEntered(files) {
  const calls = files.flatMap((file) => file.calls);
  return {
    files,
    functionCount: calls.length,
    callCount: calls.reduce((sum, { count }) => sum + count, 0),
  };
}
