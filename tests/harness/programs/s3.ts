/**
 * Real S3 servers for tests.
 *
 * @module
 */

import { S3Client } from "@bradenmacdonald/s3-lite-client";
import { Child, freePort } from "./child.ts";
import { programPath } from "./installed.ts";

/** The S3 servers that everything is tested on. */
export const S3_KINDS = ["minio", "versitygw"] as const;
/** One of them. */
export type S3Kind = (typeof S3_KINDS)[number];

const ACCESS_KEY = "graft-test";
const SECRET_KEY = "graft-test-secret";
const REGION = "us-east-1";

/** A running S3 server. */
export class S3Server {
  readonly #child: Child;
  readonly #folder: string;
  /** Which it is. */
  readonly kind: S3Kind;
  /** Its address: `http://127.0.0.1:1234`. */
  readonly endpoint: string;
  #buckets = 0;

  private constructor(kind: S3Kind, endpoint: string, child: Child, folder: string) {
    this.kind = kind;
    this.endpoint = endpoint;
    this.#child = child;
    this.#folder = folder;
  }

  /** Starts a server on a free port, with nothing in it. */
  static async start(kind: S3Kind): Promise<S3Server> {
    const folder = await Deno.makeTempDir({ prefix: `graft-${kind}-` });
    const address = `127.0.0.1:${freePort()}`;
    const options = kind === "minio"
      ? minioOptions(address, folder)
      : versitygwOptions(address, folder);
    const child = await Child.start({ ...options, isReady: () => knowsKeys(address) });
    return new S3Server(kind, `http://${address}`, child, folder);
  }

  /** Where its objects are on disk. */
  get folder(): string {
    return this.#folder;
  }

  /** The process, to be killed, paused and started again. */
  get process(): Child {
    return this.#child;
  }

  /** The variables that a Graft server takes; `endpoint` may be that of a proxy in front. */
  env(endpoint: string = this.endpoint): Record<string, string> {
    return {
      AWS_ACCESS_KEY_ID: ACCESS_KEY,
      AWS_SECRET_ACCESS_KEY: SECRET_KEY,
      AWS_REGION: REGION,
      AWS_ENDPOINT_URL_S3: endpoint,
    };
  }

  /** Makes a bucket of a fresh name. */
  async makeBucket(): Promise<string> {
    const bucket = `graft-${++this.#buckets}-${crypto.randomUUID().slice(0, 8)}`;
    await this.client().makeBucket(bucket);
    return bucket;
  }

  /** A client of others' making, to look at buckets past our own. */
  client(bucket?: string): S3Client {
    return clientOf(this.endpoint, bucket);
  }

  /** Ends it and removes its data. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.kill();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

function clientOf(endPoint: string, bucket?: string): S3Client {
  return new S3Client({
    endPoint,
    region: REGION,
    accessKey: ACCESS_KEY,
    secretKey: SECRET_KEY,
    pathStyle: true,
    bucket,
  });
}

/** A server may call itself healthy some time before it takes requests that are signed. */
async function knowsKeys(address: string): Promise<boolean> {
  await clientOf(`http://${address}`).bucketExists("graft-nowhere");
  return true;
}

function minioOptions(address: string, folder: string) {
  return {
    path: programPath("minio"),
    args: ["server", "--quiet", "--address", address, folder],
    env: {
      MINIO_ROOT_USER: ACCESS_KEY,
      MINIO_ROOT_PASSWORD: SECRET_KEY,
      MINIO_BROWSER: "off",
      MINIO_UPDATE: "off",
    },
  };
}

function versitygwOptions(address: string, folder: string) {
  return {
    path: programPath("versitygw"),
    args: ["--port", address, "posix", folder],
    env: { ROOT_ACCESS_KEY: ACCESS_KEY, ROOT_SECRET_KEY: SECRET_KEY },
  };
}
