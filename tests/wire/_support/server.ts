/**
 * Servers to test.
 *
 * @module
 */

import type { Endpoints } from "./calls.ts";

/** A server under test. */
export interface TestServer extends AsyncDisposable {
  /** Where it listens. */
  readonly to: Endpoints;
}

/** PLACEHOLDER until the server exists. */
export function openServer(): Promise<TestServer> {
  const to = {
    metastore: Deno.env.get("GRAFT_WIRE_METASTORE") ?? "",
    pagestore: Deno.env.get("GRAFT_WIRE_PAGESTORE") ?? "",
  };
  return Promise.resolve({ to, [Symbol.asyncDispose]: () => Promise.resolve() });
}

/** One server for all tests of a file: it starts before the first and stops after the last. */
export function serverOfFile(): { readonly to: Endpoints } {
  let server: TestServer | undefined;
  Deno.test.beforeAll(async () => {
    server = await openServer();
  });
  Deno.test.afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
  });
  return {
    get to() {
      if (server === undefined) throw new Error("The server of this file is not running");
      return server.to;
    },
  };
}

/** A test that must end in time: a server that never answers is a failure, not a hang. */
export function bounded(name: string, fn: () => Promise<void>, timeout = 60_000): void {
  Deno.test({ name, timeout, fn });
}
