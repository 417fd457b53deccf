/**
 * Room in a storage that is bounded.
 *
 * @module
 */

import { GraftError } from "../../../src/core/errors.ts";
import type { VolumeId } from "../../../src/core/gid.ts";
import type { LocalPages } from "./local_pages.ts";
import { type Batch, newBatch } from "./page_keeper.ts";
import type { PageRow } from "./page_rows.ts";
import type { State } from "./rows.ts";

/** What a {@linkcode StorageRoom} is made of. */
export interface StorageRoomParts {
  readonly vid: VolumeId;
  /** How many bytes the storage may have. What is only here counts too, and is never evicted. */
  readonly bytesMax: number;
}

/** Eviction goes on until so much of the bound is used. */
const EVICT_TO = 0.9;
/** Rows that are evicted together. */
const EVICT_ROWS = 256;

/** Evicts pages that the server has, too, where a storage would become too large. */
export class StorageRoom {
  readonly #parts: StorageRoomParts;
  readonly #pages: LocalPages;

  /** @param pages What is in the storage. */
  constructor(parts: StorageRoomParts, pages: LocalPages) {
    this.#parts = parts;
    this.#pages = pages;
  }

  /**
   * Evicts until a batch finds room; a promise where there is none.
   *
   * @param rows Those that it puts.
   * @param pushed The last state that the server has: what is newer stays.
   * @throws {GraftError} `unavailable` when nothing is left that could go.
   */
  make(batch: Batch, rows: readonly PageRow[], pushed: State): Promise<void> | undefined {
    const wanted = this.#pages.added(batch, rows);
    const hasRoom = this.#pages.bytes + wanted <= this.#parts.bytesMax;
    return hasRoom ? undefined : this.#make(wanted, pushed);
  }

  async #make(wanted: number, pushed: State): Promise<void> {
    const { bytesMax, vid } = this.#parts;
    // twice around: the first time passes over what was read lately
    let sweeps = 2 * Math.ceil(this.#pages.rows.count / EVICT_ROWS) + 2;
    while (sweeps-- > 0 && this.#pages.bytes + wanted > bytesMax * EVICT_TO) {
      const idle = this.#pages.idle(EVICT_ROWS, pushed);
      if (idle.length > 0) await this.#evict(idle);
    }
    if (this.#pages.bytes + wanted <= bytesMax) return;
    throw new GraftError(
      "unavailable",
      `Cannot write to the replica of volume "${vid}": its storage is full`,
      { hint: "What is left was never pushed: go online, or allow more bytes" },
    );
  }

  async #evict(rows: readonly PageRow[]): Promise<void> {
    const batch = newBatch();
    this.#pages.putRemoval(batch, rows);
    await this.#pages.write(batch, "relaxed");
    this.#pages.remove(rows, []);
  }
}
