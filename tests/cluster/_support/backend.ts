/**
 * Where the processes of a cluster keep what they share.
 *
 * @module
 */

import { DenoKvServer } from "../../harness/programs/denokv.ts";
import { type S3Kind, S3Server } from "../../harness/programs/s3.ts";

/** A log and an object store that any number of processes may open. */
export interface Backend extends AsyncDisposable {
  /** What it is, for names of tests and messages. */
  readonly name: string;
  /** The arguments of `serve`. */
  readonly args: readonly string[];
  /** The variables of `serve`. */
  readonly env: Readonly<Record<string, string>>;
  /** The S3 server that holds the segments. */
  readonly s3: S3Server;
  /** The bucket on it. */
  readonly bucket: string;
}

/** How a backend is opened: empty, with servers of its own. */
export interface BackendKind {
  /** What it is. */
  readonly name: string;
  /** Starts its servers. */
  open(): Promise<Backend>;
}

/** The log on KV Connect, segments on MinIO. */
export const KV_CONNECT: BackendKind = { name: "a log on KV Connect", open: openKvConnect };

/** Log and segments in one bucket. */
export const BUCKET_ON_MINIO: BackendKind = {
  name: "a log in a MinIO bucket",
  open: () => openBucket("minio"),
};

/** The same on the other S3 server. */
export const BUCKET_ON_VERSITYGW: BackendKind = {
  name: "a log in a versitygw bucket",
  open: () => openBucket("versitygw"),
};

/** All of them. */
export const BACKENDS: readonly BackendKind[] = [KV_CONNECT, BUCKET_ON_MINIO, BUCKET_ON_VERSITYGW];

async function openKvConnect(): Promise<Backend> {
  await using opened = new AsyncDisposableStack();
  const s3 = opened.use(await S3Server.start("minio"));
  const kv = opened.use(await DenoKvServer.start());
  const bucket = await s3.makeBucket();
  const owned = opened.move();
  return {
    name: KV_CONNECT.name,
    args: ["--log", `kv+${kv.url}`, "--objects", `s3://${bucket}/objects`],
    env: { ...s3.env(), ...kv.env() },
    s3,
    bucket,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function openBucket(kind: S3Kind): Promise<Backend> {
  await using opened = new AsyncDisposableStack();
  const s3 = opened.use(await S3Server.start(kind));
  const bucket = await s3.makeBucket();
  const owned = opened.move();
  return {
    name: `a log in a ${kind} bucket`,
    args: ["--log", `s3://${bucket}/log`, "--objects", `s3://${bucket}/objects`],
    env: s3.env(),
    s3,
    bucket,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
