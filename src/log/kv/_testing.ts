// What tests of logs that share a key-value store need.

import { systemClock } from "../../core/clock.ts";
import { GraftError } from "../../core/errors.ts";
import { systemTimers, type Timers } from "../../core/timers.ts";
import type { DenoKvServer } from "../../../tests/harness/programs/denokv.ts";
import { send } from "../_log_io.ts";
import type { TestedLog } from "../_conformance.ts";
import { openOver } from "../_testing.ts";
import type { KvLog, KvLogParts } from "./kv_log.ts";
import { ConnectKv } from "./_connect/connect_kv.ts";
import type { SessionParts } from "./_connect/session.ts";
import { COLLECTION_KEY } from "./_keys.ts";
import type { KvAtomic, KvEntry, KvHandle, KvKey, KvRange } from "./kv_handle.ts";

/** A part of a store: the keys that begin with `prefix`. Closing it leaves the store open. */
export class PartOfKv implements KvHandle {
  readonly #kv: KvHandle;
  readonly #prefix: string;
  #isClosed = false;

  constructor(kv: KvHandle, prefix: string) {
    this.#kv = kv;
    this.#prefix = prefix;
  }

  async get(key: KvKey): Promise<KvEntry> {
    return this.#stripped(await this.#open().get(this.#full(key)));
  }

  async getMany(keys: readonly KvKey[]): Promise<KvEntry[]> {
    const entries = await this.#open().getMany(keys.map((key) => this.#full(key)));
    return entries.map((entry) => this.#stripped(entry));
  }

  list({ start, end }: KvRange, options?: { batchSize?: number }): AsyncIterator<KvEntry> {
    const range = { start: this.#full(start), end: this.#full(end) };
    const entries = this.#open().list(range, options);
    return {
      next: async () => {
        const { done, value } = await entries.next();
        return done ? { done, value } : { value: this.#stripped(value) };
      },
    };
  }

  atomic(): KvAtomic {
    return new PartOfAtomic(this.#open().atomic(), (key) => this.#full(key));
  }

  watch(keys: readonly KvKey[]): ReadableStream<unknown> {
    return this.#open().watch(keys.map((key) => this.#full(key)));
  }

  commitVersionstamp(): symbol {
    return this.#kv.commitVersionstamp();
  }

  close(): void {
    this.#isClosed = true;
  }

  #open(): KvHandle {
    if (this.#isClosed) throw new Error("it is closed");
    return this.#kv;
  }

  #full(key: KvKey): KvKey {
    return [this.#prefix, ...key];
  }

  #stripped({ key, value, versionstamp }: KvEntry): KvEntry {
    return { key: key.slice(1), value, versionstamp };
  }
}

class PartOfAtomic implements KvAtomic {
  readonly #atomic: KvAtomic;
  readonly #full: (key: KvKey) => KvKey;

  constructor(atomic: KvAtomic, full: (key: KvKey) => KvKey) {
    this.#atomic = atomic;
    this.#full = full;
  }

  check({ key, versionstamp }: { key: KvKey; versionstamp: string | null }): KvAtomic {
    this.#atomic.check({ key: this.#full(key), versionstamp });
    return this;
  }

  set(key: KvKey, value: unknown, options?: { expireIn?: number }): KvAtomic {
    this.#atomic.set(this.#full(key), value, options);
    return this;
  }

  delete(key: KvKey): KvAtomic {
    this.#atomic.delete(this.#full(key));
    return this;
  }

  commit(): ReturnType<KvAtomic["commit"]> {
    return this.#atomic.commit();
  }
}

/** A store over KV Connect, on a real server unless `send` says otherwise. */
export function connectTo(
  { url, accessToken }: { url: string; accessToken: string },
  parts: Partial<SessionParts> = {},
): ConnectKv {
  return new ConnectKv({
    url,
    accessToken,
    send,
    clock: systemClock,
    timers: systemTimers,
    ...parts,
  });
}

/** A log that shares its store. */
export function openShared(kv: KvHandle, parts: Partial<KvLogParts> = {}): Promise<KvLog> {
  return openOver(kv, { exclusive: false, ...parts });
}

/** A log of which `handle` opens the store as often as it is asked to, for the conformance suite. */
export async function testedSharedLog(
  handle: () => KvHandle,
  dispose: () => void = () => {},
): Promise<TestedLog> {
  const listenerErrors: unknown[] = [];
  const onListenerError = (error: unknown) => listenerErrors.push(error);
  const logs: KvLog[] = [];
  const open = async () => {
    const log = await openShared(handle(), { onListenerError });
    logs.push(log);
    return log;
  };
  const log = await open();
  return {
    log,
    listenerErrors,
    keepsRegistrations: true,
    collect: async () => {
      const kv = handle();
      await kv.atomic().set(COLLECTION_KEY, new Uint8Array(1)).commit();
      kv.close();
    },
    reopen: async () => {
      await Promise.all(logs.map((each) => each.close()));
      return await open();
    },
    another: open,
    dispose: async () => {
      await Promise.all(logs.map((each) => each.close()));
      dispose();
    },
  };
}

/** A fresh part of one store for each test. */
export function testedPart(server: () => DenoKvServer): () => Promise<TestedLog> {
  let parts = 0;
  return () => {
    const prefix = `part ${++parts}`;
    return testedSharedLog(() => {
      const kv = connectTo(server());
      const part = new PartOfKv(kv, prefix);
      return Object.assign(part, {
        close() {
          PartOfKv.prototype.close.call(part);
          kv.close();
        },
      });
    });
  };
}

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
  #held: { answer: PromiseWithResolvers<void>; reached: PromiseWithResolvers<void> } | undefined;
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
      const held = this.#held;
      this.#held = undefined;
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

  /** Holds back the answer of the next write. */
  holdNextAnswer(): HeldAnswer {
    const [answer, reached] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    this.#held = { answer, reached };
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
