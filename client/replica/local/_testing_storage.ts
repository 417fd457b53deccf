// A storage that can crash, fail and dawdle when a test says so.

import { GraftError } from "../../../src/core/errors.ts";
import type { ReplicaStorage, StorageBatch, StorageRange } from "../../storage/replica_storage.ts";

type Changes = ReadonlyMap<string, Uint8Array | undefined>;

interface Pending {
  readonly changes: Changes;
  readonly isRelaxed: boolean;
}

/** Rows in memory, of which a crash takes what no write has promised. */
export class TestStorage implements ReplicaStorage {
  readonly name = "test:";
  /** Whether nothing is to be written. */
  isVolatile = false;
  /** How long a write takes; none of it is promised before. */
  delay: () => Promise<void> = () => Promise.resolve();
  /** Whether the next write is refused. */
  fails: () => boolean = () => false;
  /** Whether `get` answers later. */
  isSlow = false;
  /** How many batches were written. */
  batches = 0;
  readonly #rows: Map<string, Uint8Array>;
  /** What survives a crash for certain. */
  readonly #durable: Map<string, Uint8Array>;
  /** What was written since. */
  #pending: Pending[] = [];
  #isDead = false;
  #queue: Promise<void> = Promise.resolve();

  constructor(rows: ReadonlyMap<string, Uint8Array> = new Map()) {
    this.#rows = new Map(rows);
    this.#durable = new Map(rows);
  }

  get bytes(): number {
    let bytes = 0;
    for (const [key, value] of this.#rows) bytes += key.length + value.length;
    return bytes;
  }

  /** All keys, sorted. */
  get allKeys(): string[] {
    return [...this.#rows.keys()].sort();
  }

  get(key: string): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const value = this.#rows.get(key);
    return this.isSlow ? Promise.resolve(value) : value;
  }

  async *keys({ prefix }: StorageRange): AsyncIterable<string> {
    for (const key of this.allKeys) if (key.startsWith(prefix)) yield await key;
  }

  async *list(range: StorageRange): AsyncIterable<readonly [string, Uint8Array]> {
    for await (const key of this.keys(range)) yield [key, this.#rows.get(key)!];
  }

  /** Changes a value behind everybody's back. */
  damage(key: string, value: Uint8Array): void {
    this.#rows.set(key, value);
  }

  write({ put = [], delete: gone = [], durability }: StorageBatch): Promise<void> {
    if (this.#isDead) return new Promise(() => {});
    if (this.isVolatile) throw new Error("Nothing is written to a storage that is volatile");
    if (this.fails()) {
      return Promise.reject(
        new GraftError("unavailable", "Cannot write to the storage: it is full"),
      );
    }
    this.batches++;
    const changes = new Map<string, Uint8Array | undefined>();
    for (const [key, value] of put) changes.set(key, value.slice());
    for (const key of gone) {
      if (changes.has(key)) throw new Error(`The key ${key} is twice in one batch`);
      changes.set(key, undefined);
    }
    apply(this.#rows, changes);
    const pending = { changes, isRelaxed: durability === "relaxed" };
    this.#pending.push(pending);
    this.#queue = this.#queue.then(() => this.#settle(pending));
    return this.#queue;
  }

  close(): Promise<void> {
    return this.#queue;
  }

  /** What is left when the machine stops now: nothing comes of this object any more. */
  crash(survivors: (pending: number) => number): TestStorage {
    this.#isDead = true;
    const rows = new Map(this.#durable);
    for (const { changes } of this.#pending.slice(0, survivors(this.#pending.length))) {
      apply(rows, changes);
    }
    return new TestStorage(rows);
  }

  async #settle(pending: Pending): Promise<void> {
    await this.delay();
    if (this.#isDead) return await new Promise<void>(() => {});
    if (pending.isRelaxed) return;
    // a strict write carries along what was promised less
    const count = this.#pending.indexOf(pending) + 1;
    for (const { changes } of this.#pending.splice(0, count)) apply(this.#durable, changes);
  }
}

function apply(rows: Map<string, Uint8Array>, changes: Changes): void {
  for (const [key, value] of changes) {
    if (value === undefined) rows.delete(key);
    else rows.set(key, value);
  }
}
