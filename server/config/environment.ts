import cluster from "node:cluster";
import type { Random } from "../../storage/random.ts";
import type { DevelopmentData } from "./development-data.ts";

/** The environment that a config is checked for. */
export interface Environment {
  /** Whether to reject values that are for development only. */
  readonly production: boolean;
  /** Whether other processes serve the same shops, if that is known. */
  readonly isOneOfSeveral?: boolean;
  /** Whether this process is one of the workers of `storefront start --workers`. */
  readonly isWorker?: boolean;
  /** The data of a development server, instead of a random secret and the driver `memory`. */
  readonly developmentData?: DevelopmentData | undefined;
  /** Creates the secret of a development server. Default: the computer's random values. */
  readonly random?: Random;
}

/** Whether other processes serve the same shops: by Node's `cluster`, pm2 (`NODE_APP_INSTANCE`), or `WEB_CONCURRENCY`. */
export function isOneOfSeveral(variables: NodeJS.ProcessEnv = process.env): boolean {
  const { NODE_APP_INSTANCE: instance, WEB_CONCURRENCY: processes } = variables;
  return cluster.isWorker || Number(instance) > 0 || Number(processes) > 1;
}
