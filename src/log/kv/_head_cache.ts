// The newest heads that this process knows of.

import { LRUCache } from "lru-cache";
import type { VolumeId } from "../../core/gid.ts";
import { toLsn } from "../../core/lsn.ts";
import type { HeadRead } from "../commit_log.ts";

/** The version of a key: hexadecimal text, larger with every write; null where it is not set. */
export type KvVersion = string | null;

/** A head with the version that its key had. */
export interface KnownHead extends HeadRead {
  readonly version: KvVersion;
}

/** Whether `a` is the later of two versions of one key. */
export function isNewer(a: KvVersion, b: KvVersion): boolean {
  return a !== null && (b === null || a > b);
}

/**
 * A bounded number of heads, of which each only ever moves forward.
 *
 * What a read brings may be older than what was forgotten or dropped while it was under way. So a reader
 * notes the {@linkcode HeadCache.epoch} before it asks, and keeps the answer only if that still stands.
 */
export class HeadCache {
  readonly #heads: LRUCache<VolumeId, KnownHead>;
  #epoch = 0;

  constructor(headsMax: number) {
    this.#heads = new LRUCache({
      max: headsMax,
      dispose: (_head, _vid, reason) => {
        if (reason === "evict") this.#epoch++;
      },
    });
  }

  /** Changes whenever a head leaves. */
  get epoch(): number {
    return this.#epoch;
  }

  get(vid: VolumeId): KnownHead | undefined {
    return this.#heads.get(vid);
  }

  /** Keeps a head, unless a later one is known. That a volume has none is not kept. */
  put(vid: VolumeId, read: KnownHead): void {
    if (read.head === undefined) return;
    const known = this.#heads.get(vid);
    if (known?.head !== undefined) {
      if (isNewer(known.version, read.version)) return;
      // a floor only rises, and by other writes than the head's
      const floorLsn = toLsn(Math.max(known.head.floorLsn, read.head.floorLsn));
      read = { head: { ...read.head, floorLsn }, version: read.version };
    }
    this.#heads.set(vid, read);
  }

  /** Lets go of a head that somebody else moved at `version`, unless a later one is known. */
  forgetOlder(vid: VolumeId, version: string): void {
    const known = this.#heads.peek(vid);
    if (known !== undefined && isNewer(version, known.version)) this.forget(vid);
  }

  /** Lets go of all heads. */
  clear(): void {
    this.#epoch++;
    this.#heads.clear();
  }

  /** Lets go of a head that may have moved in a way that nobody here saw. */
  forget(vid: VolumeId): void {
    this.#epoch++;
    this.#heads.delete(vid);
  }
}
