// Listing volumes where the names of their records are all there is to list.

import type { VolumeId } from "../../core/gid.ts";
import type { Lsn } from "../../core/lsn.ts";
import type { VolumeEntry } from "../commit_log.ts";
import type { BucketCalls } from "./_bucket_calls.ts";
import { damaged } from "../codec/sealed_value.ts";
import { afterVolume, parseRecordKey, RECORDS_PREFIX } from "./_format/keys.ts";
import type { RecordObject } from "./_format/record_object.ts";
import { headOf } from "./_heads/head_state.ts";
import type { KnownHeads } from "./_heads/known_heads.ts";
import { SCANNED_HEADS, SCANNED_KEYS } from "./_limits.ts";
import type { RecordObjects } from "./_records/record_objects.ts";

/** What a {@linkcode VolumeScan} is made of. */
export interface VolumeScanParts {
  readonly calls: BucketCalls;
  readonly objects: RecordObjects;
  readonly heads: KnownHeads;
}

/** The name of a volume's newest object. */
interface Named {
  readonly vid: VolumeId;
  readonly lsn: Lsn;
}

/** Only this can begin an id, or a key at all. */
const ID_START = /^[1-9A-HJ-NP-Za-km-z]{0,22}$/;

/**
 * Lists volumes. The first name of a volume is its newest, so each volume costs one GET, and a listing
 * of 100 names brings as many volumes as have their first name among them; it is begun anew after the last.
 */
export class VolumeScan {
  readonly #parts: VolumeScanParts;

  constructor(parts: VolumeScanParts) {
    this.#parts = parts;
  }

  /** See {@linkcode CommitLog.volumes}. */
  async volumes(
    { prefix = "", after, limit }: { prefix?: string; after?: VolumeId; limit: number },
  ): Promise<VolumeEntry[]> {
    const found: VolumeEntry[] = [];
    if (limit < 1 || !ID_START.test(prefix)) return found;
    let wanted: Named[] = [];
    for await (const named of this.#newest(prefix, after)) {
      wanted.push(named);
      if (wanted.length < Math.min(SCANNED_HEADS, limit - found.length)) continue;
      found.push(...await this.#read(wanted));
      if (found.length === limit) return found;
      wanted = [];
    }
    found.push(...await this.#read(wanted));
    return found;
  }

  async *#newest(prefix: string, after: VolumeId | undefined): AsyncGenerator<Named> {
    const { calls } = this.#parts;
    const start = `${RECORDS_PREFIX}${prefix}`;
    for (let last = after;;) {
      const options = {
        limit: SCANNED_KEYS,
        ...(last === undefined ? {} : { after: afterVolume(last) }),
      };
      const keys = await calls.keys(start, options);
      for (const key of keys) {
        const named = parseRecordKey(key);
        if (named === undefined) throw damaged(key, "its name is none of a record's");
        if (named.vid === last) continue;
        last = named.vid;
        yield named;
      }
      if (keys.length < SCANNED_KEYS) return;
    }
  }

  /** The heads at these names; deleted volumes, and objects that went meanwhile, are left out. */
  async #read(named: readonly Named[]): Promise<VolumeEntry[]> {
    const objects = await Promise.all(named.map((each) => this.#object(each)));
    return objects.flatMap((object, i) => {
      if (object === undefined || object.deleted) return [];
      return [{ vid: named[i].vid, head: headOf(object) }];
    });
  }

  async #object({ vid, lsn }: Named): Promise<RecordObject | undefined> {
    const newest = this.#parts.heads.get(vid)?.newest;
    return newest?.lsn === lsn ? newest : await this.#parts.objects.get(vid, lsn);
  }
}
