/**
 * Servers to test.
 *
 * @module
 */

import type { ServerProcess } from "../../harness/server.ts";
import * as harness from "../../harness/server.ts";
import { type ServerOptions, startServer } from "../../../src/server/mod.ts";
import type { Endpoints } from "./calls.ts";

/** A server within this process, in memory and on a free port. */
export interface TestServer extends AsyncDisposable {
  /** Where it listens. */
  readonly to: Endpoints;
}

/** Starts a server within this process. */
export async function openServer(options: ServerOptions = {}): Promise<TestServer> {
  const server = await startServer({
    listen: ["127.0.0.1:0"],
    log: "memory:",
    objects: "memory:",
    ...options,
  });
  const to = endpointsOf(server.urls[0]);
  return { to, [Symbol.asyncDispose]: () => server.close() };
}

/** Starts a server as a process of its own, with its data on disk. */
export function openProcess(args: readonly string[] = []): Promise<ServerProcess> {
  return harness.startServer({ args });
}

/** Both halves of the protocol at one base URL. */
export function endpointsOf(url: string): Endpoints {
  return { metastore: url, pagestore: url };
}

/** One server for all tests of a file: it starts before the first and stops after the last. */
export function serverOfFile(options?: ServerOptions): { readonly to: Endpoints } {
  const current = ofFile(() => openServer(options));
  return {
    get to() {
      return current().to;
    },
  };
}

/** The same as a process of its own. */
export function processOfFile(args: readonly string[] = []): {
  readonly to: Endpoints;
  readonly process: ServerProcess;
} {
  const current = ofFile(() => openProcess(args));
  return {
    get to() {
      return endpointsOf(current().url);
    },
    get process() {
      return current();
    },
  };
}

function ofFile<T extends AsyncDisposable>(open: () => Promise<T>): () => T {
  let opened: T | undefined;
  Deno.test.beforeAll(async () => {
    opened = await open();
  });
  Deno.test.afterAll(async () => {
    await opened?.[Symbol.asyncDispose]();
  });
  return () => {
    if (opened === undefined) throw new Error("The server of this file is not running");
    return opened;
  };
}

/** A test that must end in time: a server that never answers is a failure, not a hang. */
export function bounded(name: string, fn: () => Promise<void>, timeout = 60_000): void {
  Deno.test({ name, timeout, fn });
}
