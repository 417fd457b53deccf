/**
 * A whole server, started with one call.
 *
 * @module
 */

import { type Clock, systemClock } from "../core/clock.ts";
import { GraftError } from "../core/errors.ts";
import { COMMIT_SEGMENTS_MAX, PAGE_SIZE, WRITE_PART_PAGES } from "../core/limits.ts";
import { type Random, systemRandom } from "../core/random.ts";
import { systemTimers, type Timers } from "../core/timers.ts";
import type { S3Settings } from "../objects/s3/s3_settings.ts";
import { requireFreePort } from "./_server_io.ts";
import { isLoopbackHost, type ListenAddress, parseAddress } from "./address.ts";
import { type AppParts, createApp } from "./app.ts";
import { Authenticator } from "./auth/authenticator.ts";
import { parseAuthKey } from "./auth/keys.ts";
import type { MetastoreApi, PagestoreApi, Role } from "./engines.ts";
import { OriginGuard } from "./http/origin_guard.ts";
import { Ports, requireLoopback } from "./listen.ts";
import { type Engines, openEngines } from "./open_engines.ts";
import { isRemote } from "./open_objects.ts";
import { parseOrigin } from "./origin.ts";
import { measureProcess } from "./telemetry/process_metrics.ts";
import { PrometheusMetrics } from "./telemetry/prometheus.ts";

/** What a server may be told. Everything has a default. */
export interface ServerOptions {
  /** Where to listen, as `HOST:PORT`; port 0 takes a free one (default: {@linkcode defaultListen}). */
  readonly listen?: readonly string[];
  /** Which calls are answered (default: all). */
  readonly role?: Role;
  /** The data directory (default: `./graft-data`; none where nothing would be in it). */
  readonly data?: string;
  /** Where segments are: `file:DIR`, `s3://BUCKET/PREFIX`, `memory:` (default: in the data directory). */
  readonly objects?: string;
  /**
   * Where commits are: `kv:FILE`, `kv+http(s)://HOST`, `s3://BUCKET/PREFIX`, `memory:` (default: `log.kv`
   * in the data directory).
   */
  readonly log?: string;
  /** Keys, region and endpoint; needed where one of the two is in S3. */
  readonly s3?: S3Settings;
  /** Keys of 64 hex digits whose tokens are accepted (default: none, so no token is asked for). */
  readonly authKeys?: readonly string[];
  /** Listens beyond loopback although there is no key. */
  readonly insecureNoAuth?: boolean;
  /** Origins whose web pages may call, as browsers send them; `*`: all (default: none). */
  readonly cors?: readonly string[];
  /** Bytes of memory for caches (default: {@linkcode CACHE_BYTES_DEFAULT}). */
  readonly cacheBytes?: number;
  /**
   * Bytes of disk for the cache of objects that are in S3 (default: {@linkcode DISK_CACHE_BYTES_DEFAULT});
   * 0: none.
   */
  readonly diskCacheBytes?: number;
  /** The longest body of `write_pages` in bytes (default: {@linkcode BODY_LIMIT_BYTES_DEFAULT}). */
  readonly bodyLimitBytes?: number;
  /** Age from which unreferenced segments may be collected (default: {@linkcode GRACE_MS_DEFAULT}). */
  readonly graceMs?: number;
  /** How long history stays readable (default: {@linkcode RETAIN_MS_DEFAULT}). */
  readonly retainMs?: number;
  /** The time (default: the machine's). */
  readonly clock?: Clock;
  /** Chance (default: the platform's). */
  readonly random?: Random;
  /** Waiting (default: the platform's). */
  readonly timers?: Timers;
}

/** Bytes of memory for caches, unless told otherwise: 256 MiB. */
export const CACHE_BYTES_DEFAULT: number = 256 * 1024 * 1024;
/** Bytes of disk for the cache of remote objects, unless told otherwise: 1 GiB. */
export const DISK_CACHE_BYTES_DEFAULT: number = 1024 * 1024 * 1024;
/** The longest body of `write_pages`, unless told otherwise: 1 GiB. */
export const BODY_LIMIT_BYTES_DEFAULT: number = 1024 * 1024 * 1024;
/** What one commit can name: 64 segments of one part each. */
const BODY_LIMIT_BYTES_MAX = COMMIT_SEGMENTS_MAX * WRITE_PART_PAGES * PAGE_SIZE;
/** The grace, unless told otherwise: 24 hours. */
export const GRACE_MS_DEFAULT: number = 24 * 3_600_000;
/** The shortest grace: a commit takes segments up to half of it. */
export const GRACE_MS_MIN: number = 2 * 3_600_000;
/** How long history stays readable, unless told otherwise: 7 days. */
export const RETAIN_MS_DEFAULT: number = 7 * 86_400_000;

/** The shortest time that history may stay readable: a client must be able to read what it has just pulled. */
const RETAIN_MS_MIN = 60_000;

/** A running server. */
export interface GraftServer {
  /** Where it listens, with real ports. */
  readonly urls: readonly string[];
  /** The absolute path of its data directory; undefined where it has none. */
  readonly dataPath: string | undefined;
  /** Its metastore, for calls without HTTP. */
  readonly metastore: MetastoreApi;
  /** Its pagestore, for calls without HTTP. */
  readonly pagestore: PagestoreApi;
  /** Resolves when it is closed. */
  readonly finished: Promise<void>;
  /**
   * Stops accepting, finishes what was accepted (for 30 seconds at most), and lets the stores and the data
   * directory go. Further calls wait for the first.
   */
  close(): Promise<void>;
}

/** The original client looks for the pagestore at port 3000 and for the metastore at 3001. */
const PORTS = { all: [3000, 3001], pagestore: [3000], metastore: [3001] } as const;

/** Where a server of this role listens unless told otherwise. */
export function defaultListen(role: Role): string[] {
  return PORTS[role].map((port) => `127.0.0.1:${port}`);
}

/**
 * Starts a server. Its ports open only when its log and its objects are.
 *
 * It neither handles signals nor writes to the terminal; what it logs goes to LogTape's category `graft`.
 *
 * @throws {GraftError} `invalid` for options that make no sense, `unavailable` when a port is taken, the
 * data directory is in use, or a store cannot be reached.
 *
 * @example
 * ```ts
 * import { startServer } from "./start_server.ts";
 *
 * await using server = await startServer({ listen: ["127.0.0.1:0"], log: "memory:", objects: "memory:" });
 * const answer = await fetch(`${server.urls[0]}/health`);
 * console.log(await answer.text()); // "OK"
 * ```
 */
export async function startServer(
  options: ServerOptions = {},
): Promise<GraftServer & AsyncDisposable> {
  const settings = checkOptions(options);
  // a start that must fail for its ports is not to leave a data directory behind
  settings.addresses.forEach(requireFreePort);
  const metrics = new PrometheusMetrics();
  const engines = await openEngines({ ...settings, metrics });
  try {
    const app = createApp(appParts(settings, engines, metrics));
    const ports = Ports.open(settings.addresses, app);
    const stopMeasuring = measureProcess(metrics, settings.clock, settings.timers);
    return runningServer(engines, ports, settings.timers, stopMeasuring);
  } catch (error) {
    await engines.close();
    throw error;
  }
}

function runningServer(
  engines: Engines,
  ports: Ports,
  timers: Timers,
  stopMeasuring: () => void,
): GraftServer & AsyncDisposable {
  const finished = Promise.withResolvers<void>();
  // whoever awaits close() learns of a failure there
  finished.promise.catch(() => {});
  let closing: Promise<void> | undefined;
  const shutDown = async () => {
    stopMeasuring();
    await ports.close(timers);
    await engines.close();
  };
  const close = () => {
    closing ??= shutDown();
    closing.then(finished.resolve, finished.reject);
    return closing;
  };
  const { metastore, pagestore, dataPath } = engines;
  return {
    urls: ports.urls,
    dataPath,
    metastore,
    pagestore,
    finished: finished.promise,
    close,
    [Symbol.asyncDispose]: close,
  };
}

type Settings = ReturnType<typeof checkOptions>;

function appParts(
  settings: Settings,
  { metastore, pagestore, log, objects }: Engines,
  metrics: PrometheusMetrics,
): AppParts {
  const { keys, cors, addresses, clock } = settings;
  const loopbackOnly = addresses.every(({ hostname }) => isLoopbackHost(hostname));
  return {
    ...settings,
    metastore,
    pagestore,
    metrics,
    authenticator: keys.length > 0 ? new Authenticator(keys, clock) : undefined,
    guard: keys.length > 0 ? undefined : new OriginGuard({ origins: cors, loopbackOnly }),
    stores: [
      { name: "log", healthy: () => log.healthy, probe: () => log.volumes({ limit: 1 }) },
      { name: "objects", healthy: () => objects.healthy, probe: () => objects.head("graft.json") },
    ],
  };
}

function checkOptions(options: ServerOptions) {
  const { role = "all", log, objects } = options;
  const addresses: ListenAddress[] = (options.listen ?? defaultListen(role)).map(parseAddress);
  if (addresses.length === 0) {
    throw new GraftError("invalid", "Cannot start: no address to listen on");
  }
  const keys = (options.authKeys ?? []).map(parseAuthKey);
  if (keys.length === 0 && !options.insecureNoAuth) requireLoopback(addresses);
  const graceMs = options.graceMs ?? GRACE_MS_DEFAULT;
  if (graceMs < GRACE_MS_MIN) {
    throw new GraftError("invalid", `Cannot use a grace of ${graceMs} ms: it must be 2h or more`);
  }
  if ((options.retainMs ?? RETAIN_MS_DEFAULT) < RETAIN_MS_MIN) {
    throw new GraftError("invalid", "Cannot retain history for less than a minute");
  }
  if ((options.bodyLimitBytes ?? 0) > BODY_LIMIT_BYTES_MAX) {
    throw new GraftError(
      "invalid",
      `Cannot take bodies of ${options.bodyLimitBytes} bytes: one commit names at most ` +
        `${COMMIT_SEGMENTS_MAX} segments, so a write above ${BODY_LIMIT_BYTES_MAX} bytes could never be committed`,
    );
  }
  if (log !== undefined && isRemote(log) && objects === undefined) {
    throw new GraftError("invalid", `Cannot keep the log at "${log}" and segments on this disk`, {
      hint: "Say where segments are to be, too, as others that read the log need them: --objects",
    });
  }
  const diskCacheBytes = options.diskCacheBytes ?? DISK_CACHE_BYTES_DEFAULT;
  const needsDirectory = log === undefined || objects === undefined ||
    (isRemote(objects) && diskCacheBytes > 0);
  return {
    role,
    addresses,
    keys,
    graceMs,
    log,
    objects,
    s3: options.s3,
    diskCacheBytes,
    data: options.data ?? (needsDirectory ? "./graft-data" : undefined),
    cors: (options.cors ?? []).map(parseOrigin),
    cacheBytes: options.cacheBytes ?? CACHE_BYTES_DEFAULT,
    bodyLimitBytes: options.bodyLimitBytes ?? BODY_LIMIT_BYTES_DEFAULT,
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    timers: options.timers ?? systemTimers,
  };
}
