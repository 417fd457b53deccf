/**
 * A volume written through one process and read through another.
 *
 * @module
 */

import assert from "node:assert/strict";
import { systemClock } from "../../../src/core/clock.ts";
import { newGid, type SegmentId } from "../../../src/core/gid.ts";
import { toLsn } from "../../../src/core/lsn.ts";
import { PageSet } from "../../../src/core/page_set.ts";
import { systemRandom } from "../../../src/core/random.ts";
import type { PageList } from "../../../src/wire/messages.ts";
import { type Attempt, Ledger, pageDefects } from "../../durability/server_ledger.ts";
import { pagesOf, sendCommit } from "../../durability/server_load.ts";
import { WireClient } from "../../harness/wire_client.ts";

/** Something with an address. */
export interface Server {
  /** Its base URL. */
  readonly url: string;
}

const PAGES_MAX = 100;

/** A volume, its one writer, and what it must hold. */
export class SharedVolume {
  /** Its id. */
  readonly vid = newGid("volume", systemClock, systemRandom);
  readonly #cid = newGid("client", systemClock, systemRandom);
  readonly #ledger = new Ledger();

  /** The newest LSN; 0 when there is none. */
  get head(): number {
    return this.#ledger.head;
  }

  /** Writes pages through `pagestore` and commits them through `metastore`; returns their segments. */
  async write(
    pagestore: Server,
    metastore: Server,
    pageIdxs: readonly number[],
  ): Promise<SegmentId[]> {
    const attempt: Attempt = {
      id: this.head + 1,
      vid: this.vid,
      cid: this.#cid,
      base: this.head,
      pageCount: PAGES_MAX,
      pageIdxs,
      segments: [],
    };
    using pages = new WireClient(pagestore.url);
    using commits = new WireClient(metastore.url);
    attempt.segments = await pages.writePages(this.vid, pagesOf(attempt));
    this.#ledger.sending(attempt);
    const { lsn } = await sendCommit(commits, attempt);
    this.#ledger.acknowledge(attempt, lsn);
    return attempt.segments.map(({ sid }) => sid);
  }

  /** Demands that a pagestore answers the whole volume at `lsn` with the right bytes. */
  async assertReads(pagestore: Server, lsn: number = this.head): Promise<void> {
    const wanted = Array.from({ length: PAGES_MAX }, (_, i) => i + 1);
    const answered = await this.read(pagestore, lsn, wanted);
    const defects = pageDefects(answered, this.#ledger.pagesAt(lsn), wanted);
    assert.deepEqual(defects, [], `${this.vid} at LSN ${lsn}`);
  }

  /** Reads pages, whatever the answer is. */
  async read(pagestore: Server, lsn: number, pageIdxs: readonly number[]): Promise<PageList> {
    using client = new WireClient(pagestore.url);
    return await client.readPages(this.vid, toLsn(lsn), PageSet.from(pageIdxs));
  }
}
