/**
 * A server that speaks the v1 interface.
 *
 * @module
 */

import { bodyChunks, readBody } from "../../../src/core/body_chunks.ts";
import { GraftError, isGraftError } from "../../../src/core/errors.ts";
import type { VolumeId } from "../../../src/core/gid.ts";
import type { Lsn } from "../../../src/core/lsn.ts";
import { PageSet } from "../../../src/core/page_set.ts";
import { digestsEqual } from "../../../src/core/content_digest.ts";
import { changesFromJson } from "../../../src/wire/v1/changes_json.ts";
import {
  COMMIT_MEDIA_TYPE,
  isMediaType,
  PAGES_MEDIA_TYPE,
} from "../../../src/wire/v1/media_types.ts";
import { pagesRequest } from "../../_pages_request.ts";
import { type Decompress, PageStreamDecoder } from "../../../src/wire/v1/page_stream_decoder.ts";
import type { StreamHeader } from "../../../src/wire/v1/page_stream_header.ts";
import { snapshotFromJson } from "../../../src/wire/v1/snapshot_json.ts";
import { encodeCommitBody } from "./commit_body.ts";
import { EventConnections } from "./event_connections.ts";
import {
  type RemoteChanges,
  type RemoteCommit,
  type RemoteNews,
  type RemoteSnapshot,
  type ReplicaRemote,
  VolumeDeletedError,
} from "./remote.ts";
import { StrangeAnswer, V1Transport, type V1TransportParts } from "./v1_transport.ts";

/** What a {@linkcode V1Remote} is made of. */
export interface V1RemoteParts extends V1TransportParts {
  /** Decompresses zstd frames; without it pages are asked for raw. */
  readonly decompress: Decompress | undefined;
  /** Where volumes are told of and committed to, without a slash at its end; pages come from `url`. */
  readonly metastoreUrl: string;
}

/** Pages of one request. */
const PAGES_MAX = 16_384;
/** Speaks v1. All volumes that are followed share one connection. */
export class V1Remote implements ReplicaRemote {
  /** The server's URL. */
  readonly name: string;
  readonly #metastore: V1Transport;
  readonly #pagestore: V1Transport;
  readonly #events: EventConnections;
  readonly #decompress: Decompress | undefined;

  /** Nothing is sent yet. */
  constructor(parts: V1RemoteParts) {
    this.name = parts.url;
    const metastoreParts = { ...parts, url: parts.metastoreUrl };
    this.#pagestore = new V1Transport(parts);
    this.#metastore = parts.metastoreUrl === parts.url
      ? this.#pagestore
      : new V1Transport(metastoreParts);
    this.#events = new EventConnections(metastoreParts);
    this.#decompress = parts.decompress;
  }

  /** See {@linkcode ReplicaRemote.changes}. */
  async changes(
    vid: VolumeId,
    since: RemoteSnapshot | undefined,
    signal?: AbortSignal,
  ): Promise<RemoteChanges> {
    try {
      return await this.#askForChanges(vid, since, signal);
    } catch (error) {
      const isOtherLine = isGraftError(error, "missing") && !(error instanceof VolumeDeletedError);
      if (since === undefined || !isOtherLine) throw error;
      // the line is shorter than it was: another one
      return await this.#askForChanges(vid, undefined, signal);
    }
  }

  /** See {@linkcode ReplicaRemote.readPages}. */
  async readPages(
    vid: VolumeId,
    lsn: Lsn,
    wanted: PageSet,
    onPage: (pageIdx: number, page: Uint8Array) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    const come = new Set<number>();
    const take = (pageIdx: number, page: Uint8Array) => {
      // an answer that broke off and was asked for again
      if (come.has(pageIdx)) return;
      come.add(pageIdx);
      onPage(pageIdx, page);
    };
    const all = wanted.toArray();
    for (let from = 0; from < all.length; from += PAGES_MAX) {
      const part = PageSet.from(all.subarray(from, from + PAGES_MAX));
      await this.#pagestore.send({
        action: `read pages of volume "${vid}" at LSN ${lsn}`,
        ...pagesRequest({ vid, lsn, pageSet: part, zstd: this.#decompress !== undefined }),
        signal,
        isPatient: true,
        read: (response, ending) => this.#readStream(response, ending, { vid, lsn, take }),
      });
    }
  }

  /** See {@linkcode ReplicaRemote.commit}. */
  async commit(commit: RemoteCommit, signal?: AbortSignal): Promise<RemoteSnapshot> {
    const { bytes, isPacked } = await encodeCommitBody(commit);
    return await this.#metastore.send({
      action: `commit to volume "${commit.vid}"`,
      method: "POST",
      path: `/v1/volumes/${commit.vid}/commits`,
      headers: {
        "content-type": COMMIT_MEDIA_TYPE,
        ...isPacked ? { "content-encoding": "gzip" } : {},
      },
      body: bytes,
      signal,
      isPatient: false,
      read: (response, ending) => readJson(response, ending, snapshotFromJson),
    });
  }

  /** See {@linkcode ReplicaRemote.follow}. */
  follow(vid: VolumeId, listener: (news: RemoteNews) => void): () => void {
    return this.#events.follow(vid, listener);
  }

  /** Ends the events; what else is under way ends with its signal. */
  close(): void {
    this.#events.close();
  }

  async #askForChanges(
    vid: VolumeId,
    since: RemoteSnapshot | undefined,
    signal: AbortSignal | undefined,
  ): Promise<RemoteChanges> {
    const query = since === undefined ? "" : `?since=${since.lsn}`;
    const { snapshot, graft, sinceDigest } = await this.#metastore.send({
      action: `read the changes of volume "${vid}"`,
      method: "GET",
      path: `/v1/volumes/${vid}/changes${query}`,
      signal,
      isPatient: since === undefined,
      read: (response, ending) => readJson(response, ending, changesFromJson),
    });
    const isSame = since?.digest === undefined || sinceDigest === undefined ||
      digestsEqual(since.digest, sinceDigest);
    if (since === undefined || !isSame) return { snapshot, since: undefined, pages: undefined };
    return { snapshot, since: since.lsn, pages: graft ?? PageSet.empty };
  }

  async #readStream(
    response: Response,
    signal: AbortSignal,
    { vid, lsn, take }: WantedStream,
  ): Promise<void> {
    requireType(response, PAGES_MEDIA_TYPE);
    const decoder: PageStreamDecoder = new PageStreamDecoder({
      take: (pageIdx, page) => {
        requireHeader(decoder.header, vid, lsn);
        take(pageIdx, page);
      },
      decompress: this.#decompress,
    });
    try {
      for await (const chunk of bodyChunks(response.body, signal)) decoder.push(chunk);
      decoder.finish();
      requireHeader(decoder.header, vid, lsn);
    } catch (error) {
      if (!isGraftError(error, "invalid")) throw error;
      throw new GraftError(
        "damaged",
        `Cannot read pages of volume "${vid}": the answer is damaged`,
        {
          cause: error,
          hint: "The server, or what is in between, sent other bytes than it should have",
        },
      );
    }
  }
}

/** What an answer must be of, and who takes its pages. */
interface WantedStream {
  readonly vid: VolumeId;
  readonly lsn: Lsn;
  readonly take: (pageIdx: number, page: Uint8Array) => void;
}

function requireHeader(header: StreamHeader | undefined, vid: VolumeId, lsn: Lsn): void {
  if (header?.vid === vid && header.lsn === lsn) return;
  throw new GraftError("invalid", "Cannot read the page stream: it is of another snapshot");
}

function requireType(response: Response, mediaType: string): void {
  const type = response.headers.get("content-type");
  if (isMediaType(type, mediaType)) return;
  throw new StrangeAnswer(`the answer is ${type ?? "of no content type"} instead of ${mediaType}`);
}

async function readJson<T>(
  response: Response,
  signal: AbortSignal,
  convert: (value: unknown) => T,
): Promise<T> {
  requireType(response, "application/json");
  const text = new TextDecoder().decode(await readBody(response.body, signal));
  try {
    return convert(JSON.parse(text));
  } catch (cause) {
    throw new GraftError("internal", "Cannot read the answer: it is malformed", { cause });
  }
}
