import cluster from "node:cluster";

/** What a config is judged against. */
export interface Environment {
  /** Refuses what is fit for development only. */
  readonly production: boolean;
  /** Whether other processes serve the same shops, as far as is known. */
  readonly isOneOfSeveral?: boolean;
}

/** Whether this process has siblings: those of Node's cluster, of pm2 (NODE_APP_INSTANCE) or of a platform. */
export function isOneOfSeveral(variables: NodeJS.ProcessEnv = process.env): boolean {
  const { NODE_APP_INSTANCE: instance, WEB_CONCURRENCY: processes } = variables;
  return cluster.isWorker || Number(instance) > 0 || Number(processes) > 1;
}
