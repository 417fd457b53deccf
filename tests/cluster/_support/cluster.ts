/**
 * Several servers over one log and one object store.
 *
 * @module
 */

import { type ServerProcess, startServer } from "../../harness/server.ts";
import type { Backend, BackendKind } from "./backend.ts";
import { lastingAddress } from "./ports.ts";

const LOG_LENGTH_SHOWN = 3000;

/** The servers that a test may ask: any of a role gives the same answers. */
export interface Processes {
  /** Those that answer the metastore's calls. */
  readonly metastores: readonly ServerProcess[];
  /** Those that answer the pagestore's calls. */
  readonly pagestores: readonly ServerProcess[];
}

/** How a cluster is started. */
export interface ClusterOptions {
  /** How many metastores; 2 when not given. */
  readonly metastores?: number;
  /** How many pagestores; 2 when not given. */
  readonly pagestores?: number;
  /** Further arguments of every `serve`. */
  readonly args?: readonly string[];
}

/** Running servers that share nothing but their log and their objects. */
export interface Cluster extends Processes, AsyncDisposable {
  /** The log and the objects. */
  readonly backend: Backend;
}

/** Starts a cluster on an empty backend, all processes at once, as an orchestrator would. */
export async function startCluster(
  kind: BackendKind,
  { metastores = 2, pagestores = 2, args = [] }: ClusterOptions = {},
): Promise<Cluster> {
  await using opened = new AsyncDisposableStack();
  const backend = opened.use(await kind.open());
  const roles = [
    ...new Array<string>(metastores).fill("metastore"),
    ...new Array<string>(pagestores).fill("pagestore"),
  ];
  const starting = roles.map(async (role) =>
    opened.use(await startOn(backend, ["--role", role, ...args]))
  );
  // all have to be there before one that failed may end the test, or they would outlive it
  await Promise.allSettled(starting);
  const servers = await Promise.all(starting);
  const owned = opened.move();
  return {
    backend,
    metastores: servers.slice(0, metastores),
    pagestores: servers.slice(metastores),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Starts one more server on a backend, with a data directory of its own. */
export function startOn(backend: Backend, args: readonly string[]): Promise<ServerProcess> {
  return startServer({
    args: [...backend.args, ...args],
    env: backend.env,
    listen: lastingAddress(),
  });
}

/** What the running processes wrote last, for whoever looks for the cause of a failure. */
export function lastLogs({ metastores, pagestores }: Processes): string {
  const shown = [...metastores, ...pagestores].map((server) => {
    try {
      return `${server.url}:\n${server.logs.slice(-LOG_LENGTH_SHOWN)}`;
    } catch {
      return `${server.url} is down`;
    }
  });
  return shown.join("\n");
}
