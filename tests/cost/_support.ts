// What the tests of costs share: a server whose requests to S3 are counted.

import { GraftClient } from "../../client/mod.ts";
import { HttpProxy } from "../harness/http_proxy.ts";
import { S3Server } from "../harness/programs/s3.ts";
import { type ServerProcess, startServer } from "../harness/server.ts";

/** Where the log of a server is. */
export type LogPlace = "log on KV" | "log in the bucket";

/** A bucket behind a counting proxy, and servers on it. */
export class CountedBucket {
  readonly #servers: ServerProcess[] = [];
  readonly #s3: S3Server;
  readonly #place: LogPlace;
  /** Where a log on KV is; the directories of several servers otherwise. */
  readonly #data: string;
  /** The bucket's name. */
  readonly bucket: string;
  /** What the requests are counted by. */
  readonly proxy: HttpProxy;

  private constructor(s3: S3Server, bucket: string, place: LogPlace, data: string) {
    this.#s3 = s3;
    this.#place = place;
    this.#data = data;
    this.bucket = bucket;
    this.proxy = new HttpProxy(s3.endpoint);
  }

  /** A new S3 server with an empty bucket. */
  static async open(place: LogPlace): Promise<CountedBucket> {
    const s3 = await S3Server.start("versitygw");
    return new CountedBucket(s3, await s3.makeBucket(), place, await Deno.makeTempDir());
  }

  /** The folder that the bucket's objects lie in. */
  get folder(): string {
    return `${this.#s3.folder}/${this.bucket}`;
  }

  /** Starts a server. Its caches are empty, on disk too. */
  async serve(): Promise<{ server: ServerProcess; client: GraftClient }> {
    const address = `s3://${this.bucket}/graft`;
    const log = this.#place === "log on KV" ? `kv:${this.#data}/log.kv` : address;
    const server = await startServer({
      args: ["--objects", address, "--log", log],
      env: this.#s3.env(this.proxy.endpoint),
    });
    this.#servers.push(server);
    return { server, client: new GraftClient(server.url) };
  }

  /** Ends everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) await server[Symbol.asyncDispose]();
    await this.proxy[Symbol.asyncDispose]();
    await this.#s3[Symbol.asyncDispose]();
    await Deno.remove(this.#data, { recursive: true });
  }
}

/** A page that does not compress, of its own for each index and version. */
export function noise(pageIdx: number, version = 0): Uint8Array {
  const words = new Uint32Array(1024);
  let state = (pageIdx * 2654435761 + version * 40503 + 1) >>> 0;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state >>> 0;
  }
  return new Uint8Array(words.buffer);
}

/** Pages of noise. */
export function noisePages(first: number, last: number): Map<number, Uint8Array> {
  return new Map(Array.from({ length: last - first + 1 }, (_, i) => [first + i, noise(first + i)]));
}
