/**
 * The volume that is written, on a server.
 *
 * @module
 */

import { GraftClient, type PageToWrite } from "../../../client/mod.ts";
import { isGraftError } from "../../core/errors.ts";
import type { ClientId, VolumeId } from "../../core/gid.ts";
import type { SegmentUse } from "../../core/snapshot.ts";
import { systemTimers } from "../../core/timers.ts";
import { COMMIT_MEDIA_TYPE } from "../../wire/v1/media_types.ts";
import type { ServerAddress, ServerApi } from "../support/server_api.ts";
import { encodeCommitBody } from "./commit_body.ts";
import type { ImportTarget, VolumeHead } from "./import_database.ts";
import type { ReplaceTarget } from "./replace_database.ts";
import { whileUnavailable } from "./while_unavailable.ts";

/** A volume on a server, as imports write it. */
export class VolumeTarget implements ImportTarget, ReplaceTarget {
  readonly #api: ServerApi;
  readonly #address: ServerAddress;
  readonly #signal: AbortSignal;
  /** The volume. */
  readonly vid: VolumeId;

  /** Takes the server twice: for questions, which fail at once, and for pages, which are sent again. */
  constructor(vid: VolumeId, api: ServerApi, address: ServerAddress, signal: AbortSignal) {
    this.vid = vid;
    this.#api = api;
    this.#address = address;
    this.#signal = signal;
  }

  /** The newest snapshot; undefined where the volume does not exist yet. */
  async head(): Promise<VolumeHead | undefined> {
    try {
      return await this.#api.call<VolumeHead>("GET", `v1/volumes/${this.vid}/snapshot`);
    } catch (error) {
      if (isGraftError(error, "missing")) return undefined;
      throw error;
    }
  }

  /**
   * Commits pages on the snapshot at `base`, and tries for two minutes where the server is away.
   *
   * Sends what it encodes by itself, because V8 would let some 64 MiB of buffers gather before it frees one.
   */
  async push(
    cid: ClientId,
    base: number | undefined,
    pages: readonly PageToWrite[],
    pageCount: number,
  ): Promise<VolumeHead> {
    const bytes = encodeCommitBody({ vid: this.vid, cid, base, pages, pageCount });
    const sent = { bytes, mediaType: COMMIT_MEDIA_TYPE, signal: this.#signal };
    const path = `v1/volumes/${this.vid}/commits`;
    try {
      return await whileUnavailable(
        () => this.#api.call<VolumeHead>("POST", path, {}, sent),
        systemTimers,
        this.#signal,
      );
    } finally {
      bytes.buffer.transfer(0);
    }
  }

  /** Stores pages for a commit to name. */
  async write(pages: Iterable<PageToWrite>): Promise<SegmentUse[]> {
    return await this.#client(undefined).write(this.vid, pages, { signal: this.#signal });
  }

  /** Commits stored pages on the snapshot at `base`. */
  async commit(
    cid: ClientId,
    base: number,
    segments: readonly SegmentUse[],
    pageCount: number,
  ): Promise<VolumeHead> {
    const parts = { vid: this.vid, base, segments, pageCount };
    return await this.#client(cid).commit(parts, { signal: this.#signal });
  }

  #client(clientId: ClientId | undefined): GraftClient {
    const { url, token } = this.#address;
    return new GraftClient(url, { token, clientId, protocol: "v1" });
  }
}
