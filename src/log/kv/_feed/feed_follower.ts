// How a log learns what other processes wrote to its store.

import { GraftError, isGraftError } from "../../../core/errors.ts";
import type { Timers } from "../../../core/timers.ts";
import type { LogChange } from "../../commit_log.ts";
import type { HeadCache, KvVersion } from "../_head_cache.ts";
import { BELL_KEY, feedRange } from "../_keys.ts";
import type { KvCalls } from "../_store/kv_calls.ts";
import type { GroupWriter } from "../_write/group_writer.ts";
import type { Announcements } from "./announcements.ts";
import { decodeFeed } from "./feed_entry.ts";

/** What a {@linkcode FeedFollower} is made of. */
export interface FeedFollowerParts {
  readonly calls: KvCalls;
  readonly writer: GroupWriter;
  readonly heads: HeadCache;
  readonly announcements: Announcements;
  readonly timers: Timers;
  /** The version of the bell when the log was opened: what came before is nobody's news. */
  readonly position: KvVersion;
}

/** How often the feed is read though nobody rang: the bell may go unheard. */
export const LOOK_MS = 5_000;
const BACKOFF_MS = 100;
const BACKOFF_MS_MAX = 5_000;
/** Batches that are announced together, at most. */
const BATCHES_ANNOUNCED = 256;

/** One batch of the feed. */
interface FeedBatch {
  readonly version: string;
  readonly changes: readonly LogChange[];
}

/**
 * Watches the bell, and reads the feed from where it stopped whenever the bell rings.
 *
 * It reads from the last entry that it knows, which must still be there: where it is not, what followed it
 * may be gone too, and everybody is told to start over.
 */
export class FeedFollower {
  readonly #parts: FeedFollowerParts;
  readonly #ending = new AbortController();
  #position: KvVersion;
  #following: Promise<unknown> | undefined;
  #bell: ReadableStreamDefaultReader<unknown> | undefined;
  #hasRung = false;
  #catchingUp: Promise<void> | undefined;

  /** Takes its parts; nothing is started. */
  constructor(parts: FeedFollowerParts) {
    this.#parts = parts;
    this.#position = parts.position;
  }

  /** Starts, if it has not yet. */
  follow(): void {
    if (this.#ending.signal.aborted) return;
    this.#following ??= Promise.all([this.#listen(), this.#look()]);
  }

  /** Stops; resolves when nothing is under way any more. */
  async close(): Promise<void> {
    this.#ending.abort();
    // one that broke has nothing to cancel
    await this.#bell?.cancel().catch(() => {});
    await this.#following;
    await this.#catchingUp;
  }

  get #isEnding(): boolean {
    return this.#ending.signal.aborted;
  }

  /** Watches the bell, anew whenever the watch breaks. */
  async #listen(): Promise<void> {
    for (
      let delayMs = BACKOFF_MS;
      !this.#isEnding;
      delayMs = Math.min(2 * delayMs, BACKOFF_MS_MAX)
    ) {
      // a watch that was there for a while starts over with the shortest pause
      if (await this.#watch() > 1) delayMs = BACKOFF_MS;
      await this.#pause(delayMs);
    }
  }

  /** @returns How often the bell rang. A watch begins with a ring, which leads to the reading it needs. */
  async #watch(): Promise<number> {
    let rings = 0;
    try {
      this.#bell = this.#parts.calls.watch(BELL_KEY).getReader();
      while (!(await this.#bell.read()).done) {
        rings++;
        this.#ring();
      }
    } catch {
      // whether the store answers is what its readings tell
    }
    return rings;
  }

  /** Reads the feed now and then: a bell that nobody hears must not be the end of all news. */
  async #look(): Promise<void> {
    while (!this.#isEnding) {
      await this.#pause(LOOK_MS);
      this.#ring();
    }
  }

  async #pause(delayMs: number): Promise<void> {
    await this.#parts.timers.sleep(delayMs, this.#ending.signal).catch((error) => {
      if (!isGraftError(error, "aborted")) throw error;
    });
  }

  #ring(): void {
    this.#hasRung = true;
    this.#catchingUp ??= this.#catchUp();
  }

  async #catchUp(): Promise<void> {
    try {
      while (this.#hasRung && !this.#isEnding) {
        this.#hasRung = false;
        await this.#read();
      }
    } catch (error) {
      // the next ring, or the next look, goes on from the same position
      if (!(error instanceof GraftError)) throw error;
    } finally {
      this.#catchingUp = undefined;
    }
  }

  async #read(): Promise<void> {
    const known = this.#position;
    let isGapless = known === null;
    let batches: FeedBatch[] = [];
    for await (const { key, value } of this.#parts.calls.list(feedRange(known))) {
      const version = String(key[1]);
      if (version === known) {
        isGapless = true;
        continue;
      }
      const changes = isGapless ? readChanges(value) : undefined;
      if (changes === undefined) return await this.#startOver();
      batches.push({ version, changes });
      if (batches.length === BATCHES_ANNOUNCED) {
        await this.#announce(batches);
        batches = [];
      }
    }
    if (isGapless) await this.#announce(batches);
    else await this.#startOver();
  }

  async #announce(batches: readonly FeedBatch[]): Promise<void> {
    const last = batches.at(-1);
    if (last === undefined) return;
    const { writer, heads, announcements } = this.#parts;
    // what this process wrote itself is told by its writer, with the record: the feed may be ahead of its answer
    await writer.settled();
    if (this.#isEnding) return;
    for (const { version, changes } of batches) {
      for (const { vid } of changes) heads.forgetOlder(vid, version);
    }
    announcements.publish(batches.flatMap(({ changes }) => changes));
    this.#position = last.version;
  }

  /** Goes on from the last ring, past what may be missing. */
  async #startOver(): Promise<void> {
    const { calls, heads, announcements } = this.#parts;
    const { versionstamp } = await calls.get(BELL_KEY);
    // nothing has happened since: the entry at the position has only aged
    if (versionstamp === this.#position) return;
    this.#position = versionstamp;
    heads.clear();
    announcements.resync();
  }
}

/** @returns The changes of an entry; undefined where it is damaged, so that nobody knows them. */
function readChanges(value: unknown): LogChange[] | undefined {
  try {
    return decodeFeed(value).map((entry) => ({ ...entry, record: undefined }));
  } catch (error) {
    if (!isGraftError(error, "damaged")) throw error;
  }
}
