import { requirePeer } from "./peers.mjs";

/** Runs autocannon in this process. @returns the same as `runLoad` */
export async function runAutocannon(origin, load, { seconds, connections, firstNumber }) {
  const { path, body, visitors } = load;
  let count = firstNumber;
  const setupRequest = (request) => {
    count++;
    const headers = { "content-type": "application/json", ...visitors[count % visitors.length] };
    return { ...request, headers, body: body.replace("%d", String(count)) };
  };
  const result = await requirePeer("autocannon")({
    url: origin,
    connections,
    duration: seconds,
    requests: [{ method: "POST", path, setupRequest }],
  });
  return {
    rate: result.requests.total / result.duration,
    requests: result.requests.total,
    p99: result.latency.p99,
    errors: result.errors + result.timeouts + result.non2xx,
  };
}
