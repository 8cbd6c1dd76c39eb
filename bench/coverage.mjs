import { existsSync, readFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { SourceMap } from "node:module";
import { setTimeout } from "node:timers/promises";

/**
 * Counts the calls of functions in this process. Start it before the modules load.
 * @param build the URL of the folder with the counted files, which have source maps
 * @param folders the URLs of the folders with the sources that are counted
 */
export async function startCoverage(build, folders) {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });

  /** The sources whose functions ran since the last take, each with the number of calls per function. */
  async function take() {
    const { result } = await session.post("Profiler.takePreciseCoverage");
    const calls = result
      .filter(({ url }) => url.startsWith(build))
      .flatMap(({ url, functions }) => toCalls(url, functions))
      .filter(({ source }) => folders.some((folder) => source.startsWith(folder)));
    return [...groupBySource(calls)]
      .map(([source, own]) => ({
        file: source.slice(new URL("..", build).href.length),
        calls: own,
      }))
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
function toCalls(url, functions) {
  return functions
    .filter(({ ranges }) => ranges[0].count > 0)
    .map(({ functionName, ranges }) => ({
      name: functionName || "(anonymous)",
      count: ranges[0].count,
      source: findSource(url, ranges[0].endOffset - 1),
    }));
}

function groupBySource(calls) {
  const groups = new Map();
  for (const call of calls) groups.set(call.source, [...(groups.get(call.source) ?? []), call]);
  return groups;
}

const maps = new Map();

/** The URL of the source of a character in a file. The end of a function is always in the function's source. */
function findSource(url, offset) {
  if (!maps.has(url) && existsSync(new URL(`${url}.map`))) {
    const map = new SourceMap(JSON.parse(readFileSync(new URL(`${url}.map`), "utf8")));
    maps.set(url, { map, text: readFileSync(new URL(url), "utf8") });
  }
  const known = maps.get(url);
  if (known === undefined) return url;
  const before = known.text.slice(0, offset).split("\n");
  const { originalSource } = known.map.findEntry(before.length - 1, before.at(-1).length);
  return originalSource === undefined ? url : new URL(originalSource, url).href;
}

function toEntered(files) {
  const calls = files.flatMap((file) => file.calls);
  return {
    files,
    functionCount: calls.length,
    callCount: calls.reduce((sum, { count }) => sum + count, 0),
  };
}
