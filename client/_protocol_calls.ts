// The calls of the v0.1 protocol.

import type { VolumeId } from "../src/core/gid.ts";
import type { Lsn } from "../src/core/lsn.ts";
import type { PageBuffer } from "../src/core/page_buffer.ts";
import type { PageSet } from "../src/core/page_set.ts";
import type { SegmentUse, Snapshot } from "../src/core/snapshot.ts";
import * as wire from "../src/wire/messages.ts";
import { MEDIA_TYPE, PATHS, type ProtocolPath } from "../src/wire/protocol.ts";
import type { Commit, PulledGraft } from "../src/wire/snapshot_messages.ts";
import type { Transport, TransportRequest } from "./_transport.ts";
import { wantedPages } from "./_wanted_pages.ts";
import { PagesRead } from "./pages_read.ts";

const HEADERS = { "content-type": MEDIA_TYPE, accept: MEDIA_TYPE };

/** Where the two halves of a server are. */
export interface ServerUrls {
  readonly pagestoreUrl: string;
  readonly metastoreUrl: string;
}

type Signal = AbortSignal | undefined;

/** Calls of v0.1, one request each unless they say otherwise. */
export class ProtocolCalls {
  readonly #transport: Transport;
  readonly #urls: ServerUrls;

  constructor(transport: Transport, urls: ServerUrls) {
    this.#transport = transport;
    this.#urls = urls;
  }

  /** The newest snapshot, or the one at an LSN. */
  async snapshot(vid: VolumeId, lsn: Lsn | undefined, signal: Signal): Promise<Snapshot> {
    return await this.#send(PATHS.snapshot, {
      action: `read the snapshot of volume "${vid}"`,
      body: wire.encodeSnapshotRequest({ vid, lsn }),
      decode: wire.decodeSnapshotResponse,
      signal,
    });
  }

  /** Pages at an LSN; or at the newest, which takes two requests. */
  async read(
    vid: VolumeId,
    lsn: Lsn | undefined,
    pageSet: PageSet,
    signal: Signal,
  ): Promise<PagesRead> {
    const at = lsn ?? (await this.snapshot(vid, undefined, signal)).lsn;
    const pages = await this.#send(PATHS.readPages, {
      action: `read pages of volume "${vid}" at LSN ${at}`,
      body: wire.encodeReadPagesRequest({ vid, lsn: at, pageSet }),
      decode: (answer) => wantedPages(answer, pageSet),
      signal,
    });
    return new PagesRead(vid, at, pages);
  }

  /** Stores pages for a commit to name. */
  async write(vid: VolumeId, pages: PageBuffer, signal: Signal): Promise<SegmentUse[]> {
    return await this.#send(PATHS.writePages, {
      action: `write pages of volume "${vid}"`,
      body: wire.encodeWritePagesRequest(vid, pages),
      decode: wire.decodeWritePagesResponse,
      signal,
    });
  }

  /** Lands a commit of pages that were stored. */
  async commit(request: wire.CommitRequest, signal: Signal): Promise<Snapshot> {
    return await this.#send(PATHS.commit, {
      action: `commit to volume "${request.vid}"`,
      body: wire.encodeCommitRequest(request),
      decode: wire.decodeCommitResponse,
      signal,
    });
  }

  /** Which pages changed over a range. */
  async pullGraft(request: wire.PullRequest, signal: Signal): Promise<PulledGraft> {
    return await this.#send(PATHS.pullGraft, {
      action: `pull volume "${request.vid}"`,
      body: wire.encodePullRequest(request),
      decode: wire.decodePullGraftResponse,
      signal,
    });
  }

  /** The commits of a range. */
  async pullCommits(request: wire.PullRequest, signal: Signal): Promise<Commit[]> {
    return await this.#send(PATHS.pullCommits, {
      action: `pull the commits of volume "${request.vid}"`,
      body: wire.encodePullRequest(request),
      decode: wire.decodePullCommitsResponse,
      signal,
    });
  }

  #send<T>(path: ProtocolPath, request: Omit<TransportRequest<T>, "url">): Promise<T> {
    const { pagestoreUrl, metastoreUrl } = this.#urls;
    const base = path.startsWith("/pagestore/") ? pagestoreUrl : metastoreUrl;
    return this.#transport.send({ ...request, url: base + path, headers: HEADERS });
  }
}
