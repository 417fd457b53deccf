// A store and timers that do what a test says, when it says so.

import { GraftError } from "../../core/errors.ts";
import type { Timers } from "../../core/timers.ts";
import type { KvAtomic, KvEntry, KvHandle, KvKey, KvRange } from "./kv_handle.ts";

/** An answer that is held back. */
export interface HeldAnswer {
  /** Resolves when the write has taken effect. */
  readonly reached: Promise<void>;
  /** Lets the answer through. */
  release(): void;
  /** Loses it: its caller learns nothing. */
  lose(): void;
}

/** A store whose bell rings, whose reads fail and whose answers come when a test says so. Closing it does nothing. */
export class SteeredKv implements KvHandle {
  readonly #kv: Deno.Kv;
  readonly #underWay = new Set<Promise<unknown>>();
  #bell: ReadableStreamDefaultController<unknown> | undefined;
  readonly #held: { answer: PromiseWithResolvers<void>; reached: PromiseWithResolvers<void> }[] =
    [];
  #listed = Promise.withResolvers<void>();
  /** Whether every read fails. */
  readsFail = false;
  /** Reads so far. */
  reads = 0;
  /** Watches so far. */
  watches = 0;

  constructor(kv: Deno.Kv) {
    this.#kv = kv;
  }

  get(key: KvKey): Promise<KvEntry> {
    return this.#read(() => this.#kv.get([...key] as Deno.KvKey));
  }

  getMany(keys: readonly KvKey[]): Promise<KvEntry[]> {
    return this.#read(() => this.#kv.getMany<unknown[]>(keys as Deno.KvKey[]));
  }

  list(range: KvRange, options?: { batchSize?: number }): AsyncIterator<KvEntry> {
    const entries = this.#kv.list(range as { start: Deno.KvKey; end: Deno.KvKey }, options);
    return {
      next: () =>
        this.#read(async () => {
          const next = await entries.next();
          if (next.done) this.#listed.resolve();
          return next;
        }),
    };
  }

  atomic(): KvAtomic {
    const atomic: KvAtomic = this.#kv.atomic();
    const commit = atomic.commit.bind(atomic);
    atomic.commit = async () => {
      const result = await commit();
      const held = this.#held.shift();
      held?.reached.resolve();
      await held?.answer.promise;
      return result;
    };
    return atomic;
  }

  watch(): ReadableStream<unknown> {
    this.watches++;
    return new ReadableStream({
      start: (controller) => {
        this.#bell = controller;
        this.ring();
      },
      cancel: () => void (this.#bell = undefined),
    });
  }

  commitVersionstamp(): symbol {
    return this.#kv.commitVersionstamp();
  }

  close(): void {}

  /** Rings the bell. */
  ring(): void {
    this.#listed = Promise.withResolvers<void>();
    this.#bell?.enqueue(undefined);
  }

  /** Breaks the watch of the bell. */
  breakWatch(): void {
    this.#bell?.error(new Error("the watch broke"));
    this.#bell = undefined;
  }

  /** Holds back the answer of the next write, or of the one after those that are held back already. */
  holdNextAnswer(): HeldAnswer {
    const [answer, reached] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    this.#held.push({ answer, reached });
    return {
      reached: reached.promise,
      release: () => answer.resolve(),
      lose: () => answer.reject(new Error("the answer was lost")),
    };
  }

  /** Resolves when a listing that began after the last ring is through. */
  listed(): Promise<void> {
    return this.#listed.promise;
  }

  /** Resolves when nothing reads any more, nor begins to. */
  async settled(): Promise<void> {
    for (let idle = 0; idle < 3; idle++) {
      while (this.#underWay.size > 0) {
        idle = 0;
        await Promise.allSettled(this.#underWay);
      }
      await new Promise((resolve) => setTimeout(resolve));
    }
  }

  async #read<T>(read: () => Promise<T>): Promise<T> {
    this.reads++;
    if (this.readsFail) throw new Error("the store is down");
    const reading = read();
    this.#underWay.add(reading);
    try {
      return await reading;
    } finally {
      this.#underWay.delete(reading);
    }
  }
}

/** Timers whose time passes when a test says so. */
export class SteppedTimers implements Timers {
  readonly #waiting = new Set<{ atMs: number; callback: () => void }>();
  #nowMs = 0;

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = () => {
        cancel();
        reject(new GraftError("aborted", "Cannot wait: the caller gave up"));
      };
      const cancel = this.after(delayMs, () => {
        signal?.removeEventListener("abort", abort);
        resolve();
      });
      if (signal?.aborted) abort();
      else signal?.addEventListener("abort", abort, { once: true });
    });
  }

  after(delayMs: number, callback: () => void): () => void {
    const entry = { atMs: this.#nowMs + delayMs, callback };
    this.#waiting.add(entry);
    return () => void this.#waiting.delete(entry);
  }

  /** Lets time pass, and what comes of it happen. */
  async step(byMs: number): Promise<void> {
    this.#nowMs += byMs;
    for (const entry of [...this.#waiting]) {
      if (entry.atMs > this.#nowMs) continue;
      this.#waiting.delete(entry);
      entry.callback();
    }
    await new Promise((resolve) => setTimeout(resolve));
  }
}
