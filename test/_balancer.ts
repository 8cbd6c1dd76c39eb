import { Agent, request } from "node:http";

/** The results of the calls through a balancer. */
export interface BalancedCalls {
  readonly answered: number;
  /** Calls that got no 200, by their result. */
  readonly failures: readonly string[];
}

/**
 * Alternates between several servers, as a load balancer does: it keeps connections alive, ends one whose response
 * says `Connection: close`, and tries another server if one refuses the connection. It repeats nothing else.
 * @param isOver returns whether to stop; called after `least` calls
 */
export async function callByTurns(
  origins: readonly string[],
  options: {
    readonly least: number;
    readonly workers: number;
    readonly isOver: () => boolean;
    /** Opens a connection for each call. */
    readonly isNew?: boolean;
  },
): Promise<BalancedCalls> {
  const { least, workers, isOver, isNew = false } = options;
  const agents = origins.map(() => new Agent({ keepAlive: !isNew, scheduling: "fifo" }));
  const failures: string[] = [];
  let sent = 0;
  let answered = 0;
  async function work(): Promise<void> {
    while (sent < least || !isOver()) {
      const result = await callOne(sent++);
      if (result === 200) answered++;
      else failures.push(String(result));
    }
  }
  async function callOne(first: number): Promise<unknown> {
    for (let tried = 0; tried < origins.length; tried++) {
      const place = (first + tried) % origins.length;
      try {
        return await send(origins[place] as string, agents[place] as Agent);
      } catch (error) {
        if ((error as { readonly code?: string }).code !== "ECONNREFUSED") return error;
      }
    }
    return "No server takes connections";
  }
  await Promise.all(Array.from({ length: workers }, work));
  for (const agent of agents) agent.destroy();
  return { answered, failures };
}

// --- Internal helpers ---

const body = "{}";

function send(origin: string, agent: Agent): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "x-shop-id": "1" };
    const call = request(`${origin}/api/rpc/getUser`, { agent, method: "POST", headers });
    call.on("error", reject);
    call.on("response", (response) => {
      response.on("error", reject);
      response.on("end", () => resolve(response.statusCode));
      response.resume();
    });
    call.end(body);
  });
}
