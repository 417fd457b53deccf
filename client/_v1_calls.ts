// The calls of the v1 interface that the lite client makes.

import type { VolumeId } from "../src/core/gid.ts";
import type { Lsn } from "../src/core/lsn.ts";
import type { PageBuffer } from "../src/core/page_buffer.ts";
import type { PageSet } from "../src/core/page_set.ts";
import type { Snapshot } from "../src/core/snapshot.ts";
import { COMMIT_MEDIA_TYPE, PAGES_MEDIA_TYPE } from "../src/wire/v1/media_types.ts";
import type { Decompress } from "../src/wire/v1/page_stream_decoder.ts";
import { pagesRequest } from "./_pages_request.ts";
import type { ServerUrls } from "./_protocol_calls.ts";
import type { Transport, TransportRequest } from "./_transport.ts";
import { readPageStream, readSnapshot, v1Answers } from "./_v1_answers.ts";
import { type CommitFacts, encodeCommit } from "./_v1_commit.ts";
import type { PagesRead } from "./pages_read.ts";

/**
 * Bytes that a server which reads no more of a request than its path takes all the same. Of a longer body
 * the end meets a closed connection, and the answer, which would say that v1 is not there, is lost.
 */
const UNREAD_BYTES_MAX = 64 * 1024;

const JSON_ANSWERS = v1Answers("application/json");
const PAGES_ANSWERS = v1Answers(PAGES_MEDIA_TYPE);

type Signal = AbortSignal | undefined;

/** Calls of v1. Each may reject with a `NoV1Error` where the server has no such interface. */
export class V1Calls {
  readonly #transport: Transport;
  readonly #urls: ServerUrls;
  readonly #decompress: Decompress | undefined;

  /** Without a function that decompresses them, pages are asked for raw. */
  constructor(transport: Transport, urls: ServerUrls, decompress: Decompress | undefined) {
    this.#transport = transport;
    this.#urls = urls;
    this.#decompress = decompress;
  }

  /** The newest snapshot, or the one at an LSN or a time. */
  async snapshot(vid: VolumeId, at: Lsn | string | undefined, signal: Signal): Promise<Snapshot> {
    const query = at === undefined ? "" : `?at=${encodeURIComponent(at)}`;
    return await this.#transport.send({
      action: `read the snapshot of volume "${vid}"`,
      method: "GET",
      url: `${this.#urls.metastoreUrl}/v1/volumes/${vid}/snapshot${query}`,
      signal,
      form: JSON_ANSWERS,
      decode: readSnapshot,
    });
  }

  /** Pages at an LSN, or at the newest. */
  async read(
    vid: VolumeId,
    lsn: Lsn | undefined,
    pageSet: PageSet,
    signal: Signal,
  ): Promise<PagesRead> {
    return await this.#transport.send({
      action: `read pages of volume "${vid}" at ${lsn === undefined ? "its head" : `LSN ${lsn}`}`,
      ...this.#pagesRequest(vid, lsn, pageSet),
      signal,
      form: PAGES_ANSWERS,
      decode: (answer) => readPageStream(answer, { vid, lsn, pageSet }, this.#decompress),
    });
  }

  /**
   * Lands a whole transaction.
   *
   * @param isSure Whether the server has v1; where nobody knows, a large body is not sent to find out.
   */
  async commit(
    facts: CommitFacts,
    pages: PageBuffer,
    isSure: boolean,
    signal: Signal,
  ): Promise<Snapshot> {
    const action = `commit to volume "${facts.vid}"`;
    const body = encodeCommit(facts, pages);
    if (!isSure && body.length > UNREAD_BYTES_MAX) await this.#requireV1(action, signal);
    return await this.#transport.send({
      action,
      url: `${this.#urls.pagestoreUrl}/v1/volumes/${facts.vid}/commits`,
      headers: { "content-type": COMMIT_MEDIA_TYPE },
      body,
      signal,
      form: JSON_ANSWERS,
      decode: readSnapshot,
    });
  }

  /** Asks for something that every server with v1 has, without a body and without a token. */
  async #requireV1(action: string, signal: Signal): Promise<void> {
    await this.#transport.send({
      action,
      method: "HEAD",
      url: `${this.#urls.pagestoreUrl}/v1/openapi.json`,
      signal,
      form: JSON_ANSWERS,
      decode() {},
    });
  }

  #pagesRequest(
    vid: VolumeId,
    lsn: Lsn | undefined,
    pageSet: PageSet,
  ): Pick<TransportRequest<unknown>, "method" | "url" | "headers" | "body"> {
    const zstd = this.#decompress !== undefined;
    const { path, ...rest } = pagesRequest({ vid, lsn, pageSet, zstd });
    return { ...rest, url: this.#urls.pagestoreUrl + path };
  }
}
