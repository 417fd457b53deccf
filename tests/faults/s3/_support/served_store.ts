/**
 * A server whose store is an S3 server behind a proxy.
 *
 * @module
 */

import { type S3Kind, S3Server } from "../../../harness/programs/s3.ts";
import { type ServerProcess, startServer } from "../../../harness/server.ts";

/** Where the log of a server is: in a local file, or in the bucket of its segments. */
export type LogPlace = "kv" | "bucket";

/** What a server keeps its data in. */
export interface StoreKind {
  /** The S3 server. */
  readonly kind: S3Kind;
  /** Where the log is. */
  readonly log: LogPlace;
}

/** What stands between a server and its store. */
export interface Proxy {
  /** Its base URL. */
  readonly endpoint: string;
}

/** A Graft server, the S3 server behind it, and what is between them. */
export interface ServedStore<P extends Proxy> extends AsyncDisposable {
  /** Where the log is. */
  readonly log: LogPlace;
  /** The store. */
  readonly s3: S3Server;
  /** The bucket that holds everything. */
  readonly bucket: string;
  /** What is in between. */
  readonly proxy: P;
  /** The server. */
  readonly server: ServerProcess;
}

/** Starts everything, with an empty store; `openProxy` is given the S3 server's base URL. */
export async function openServedStore<P extends Proxy>(
  { kind, log }: StoreKind,
  openProxy: (target: string, opened: AsyncDisposableStack) => P | Promise<P>,
): Promise<ServedStore<P>> {
  await using opened = new AsyncDisposableStack();
  const s3 = opened.use(await S3Server.start(kind));
  const bucket = await s3.makeBucket();
  const proxy = await openProxy(s3.endpoint, opened);
  const logArgs = log === "kv" ? [] : ["--log", `s3://${bucket}/log`];
  const server = opened.use(
    await startServer({
      args: ["--objects", `s3://${bucket}/objects`, ...logArgs],
      env: s3.env(proxy.endpoint),
    }),
  );
  const owned = opened.move();
  return { log, s3, bucket, proxy, server, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/**
 * Tests every kind at the same time, as most of a test is waiting.
 *
 * @throws What the first of them threw, when all have ended.
 */
export async function onEvery(
  kinds: readonly StoreKind[],
  test: (kind: StoreKind) => Promise<void>,
): Promise<void> {
  const testing = kinds.map(test);
  await Promise.allSettled(testing);
  await Promise.all(testing);
}

/** Ends a server at once and starts it again without what it had kept of its store. */
export async function restartCold(server: ServerProcess): Promise<void> {
  await server.kill9();
  try {
    await Deno.remove(`${server.data}/cache`, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  await server.start();
}

/** What `/ready` says. */
export async function readiness(
  { url }: ServerProcess,
): Promise<{ readonly status: number; readonly log: string; readonly objects: string }> {
  const response = await fetch(`${url}/ready`);
  return { ...await response.json(), status: response.status };
}
