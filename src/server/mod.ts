/**
 * The server of Graft, to be embedded.
 *
 * {@linkcode startServer} is what `graft serve` calls. A test, or a program that keeps its data beside its
 * own, starts one on a free port and in memory:
 *
 * ```ts
 * import { startServer } from "./mod.ts";
 *
 * const server = await startServer({ listen: ["127.0.0.1:0"], log: "memory:", objects: "memory:" });
 * console.log(server.urls); // [ "http://127.0.0.1:…" ]
 * await server.close();
 * ```
 *
 * Limitations
 * - It needs Deno: a port is opened with `Deno.serve`, the log is a Deno KV file, even in memory. So the
 *   program that embeds it runs with `--unstable-kv`, or has `"unstable": ["kv"]` in its `deno.json`.
 * - One process holds a data directory at a time.
 * - TLS is the work of a proxy before it.
 *
 * @module
 */

export type { Clock } from "../core/clock.ts";
export { GraftError, type GraftErrorCode, type GraftErrorOptions } from "../core/errors.ts";
export type { Random } from "../core/random.ts";
export type { Timers } from "../core/timers.ts";
export type { MetastoreApi, PagestoreApi, PageWriteApi, Role } from "./engines.ts";
export {
  BODY_LIMIT_BYTES_DEFAULT,
  CACHE_BYTES_DEFAULT,
  defaultListen,
  GRACE_MS_DEFAULT,
  GRACE_MS_MIN,
  type GraftServer,
  RETAIN_MS_DEFAULT,
  type ServerOptions,
  startServer,
} from "./start_server.ts";
