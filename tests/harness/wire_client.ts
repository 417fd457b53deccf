/**
 * The six calls of the v0.1 protocol without retries, caches or second thoughts.
 *
 * @module
 */

import { GraftError, type GraftErrorCode } from "../../src/core/errors.ts";
import type { VolumeId } from "../../src/core/gid.ts";
import type { Lsn } from "../../src/core/lsn.ts";
import type { PageSet } from "../../src/core/page_set.ts";
import type { SegmentUse, Snapshot } from "../../src/core/snapshot.ts";
import {
  type Commit,
  type CommitRequest,
  decodeCommitResponse,
  decodeGraftErr,
  decodePullCommitsResponse,
  decodeReadPagesResponse,
  decodeSnapshotResponse,
  decodeWritePagesResponse,
  encodeCommitRequest,
  encodePullRequest,
  encodeReadPagesRequest,
  encodeSnapshotRequest,
  encodeWritePagesRequest,
  type PageList,
} from "../../src/wire/messages.ts";
import { fromWireError, MEDIA_TYPE, PATHS, type ProtocolPath } from "../../src/wire/protocol.ts";

/** An answer that is an error, with the numbers that came over the wire. */
export class WireFailure extends GraftError {
  /** The HTTP status. */
  readonly status: number;
  /** `GraftErr.code`. */
  readonly wireCode: number;

  /** Makes a failure. */
  constructor(code: GraftErrorCode, message: string, status: number, wireCode: number) {
    super(code, message);
    this.status = status;
    this.wireCode = wireCode;
  }
}

/** A client that sends exactly what it is told to, once, over connections of its own. */
export class WireClient {
  readonly #url: string;
  readonly #token: string | undefined;
  readonly #connections = Deno.createHttpClient({});

  /** `url` is a base URL without a path. */
  constructor(url: string, token?: string) {
    this.#url = url;
    this.#token = token;
  }

  /** The latest snapshot, or the one at `lsn`. */
  async snapshot(vid: VolumeId, lsn?: Lsn): Promise<Snapshot> {
    return decodeSnapshotResponse(
      await this.send(PATHS.snapshot, encodeSnapshotRequest({ vid, lsn })),
    );
  }

  /** Stores pages. */
  async writePages(vid: VolumeId, pages: PageList): Promise<SegmentUse[]> {
    return decodeWritePagesResponse(
      await this.send(PATHS.writePages, encodeWritePagesRequest(vid, pages)),
    );
  }

  /** Lands a commit. */
  async commit(request: CommitRequest): Promise<Snapshot> {
    return decodeCommitResponse(await this.send(PATHS.commit, encodeCommitRequest(request)));
  }

  /** Reads pages. */
  async readPages(vid: VolumeId, lsn: Lsn, pageSet: PageSet): Promise<PageList> {
    return decodeReadPagesResponse(
      await this.send(PATHS.readPages, encodeReadPagesRequest({ vid, lsn, pageSet })),
    );
  }

  /** The commits from `start` on. */
  async pullCommits(vid: VolumeId, start: Lsn): Promise<Commit[]> {
    const range = { start, end: undefined };
    return decodePullCommitsResponse(
      await this.send(PATHS.pullCommits, encodePullRequest({ vid, range })),
    );
  }

  /** Sends one request. @throws {WireFailure} For any answer but 200. */
  async send(path: ProtocolPath, body: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    const headers: Record<string, string> = { "content-type": MEDIA_TYPE };
    if (this.#token !== undefined) headers.authorization = `Bearer ${this.#token}`;
    const response = await fetch(this.#url + path, {
      method: "POST",
      headers,
      body,
      client: this.#connections,
    });
    const answer = new Uint8Array(await response.arrayBuffer());
    if (response.status === 200) return answer;
    const { code, message } = decodeGraftErr(answer);
    throw new WireFailure(fromWireError(response.status, code), message, response.status, code);
  }

  /** Closes its connections. */
  [Symbol.dispose](): void {
    this.#connections.close();
  }
}
