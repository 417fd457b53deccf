// What tests of logs that share a key-value store need.

import { systemClock } from "../../core/clock.ts";
import { systemTimers } from "../../core/timers.ts";
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

/** The keys that stand below a prefix. */
export async function keysBelow(kv: Deno.Kv, ...prefix: Deno.KvKeyPart[]): Promise<Deno.KvKey[]> {
  return (await Array.fromAsync(kv.list({ prefix }))).map(({ key }) => key);
}
