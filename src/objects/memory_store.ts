/**
 * An object store in memory, for tests and for trying things out.
 *
 * @module
 */

import {
  assertRange,
  checkKey,
  checkRangeWithin,
  checkSignal,
  missingObject,
  takenObject,
} from "./_call_checks.ts";
import { isSameBytes } from "../core/bytes.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import { GraftError } from "../core/errors.ts";
import type {
  DatedObjectStore,
  ObjectCallOptions,
  ObjectEntry,
  ObjectListOptions,
  ObjectTail,
} from "./object_store.ts";

/** Like S3: what is dated earlier than this is refused. */
const DATE_AGE_MAX_MS = 15 * 60_000;

/**
 * Keeps objects in memory and loses them with the process.
 *
 * Bodies are copied in and out, so that neither side can change what the other holds.
 *
 * @example
 * ```ts
 * import { MemoryStore } from "./memory_store.ts";
 *
 * const store = new MemoryStore();
 * await store.put("segments/a", new Uint8Array([1, 2, 3]));
 * console.log((await store.getTail("segments/a", 2)).bytes); // Uint8Array [ 2, 3 ]
 * ```
 */
export class MemoryStore implements DatedObjectStore {
  /** What messages call the store. */
  readonly name: string = "memory:";
  readonly #objects = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly #clock: Clock;

  /** Makes an empty store; its clock tells how old a dated put is. */
  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /** Stores an object. See {@linkcode ObjectStore.put}. */
  put(
    key: string,
    body: Uint8Array<ArrayBuffer>,
    options: ObjectCallOptions & { readonly ifAbsent?: boolean } = {},
  ): Promise<void> {
    return this.#answer(key, `put "${key}"`, options, () => {
      if (options.ifAbsent && this.#objects.has(key)) throw takenObject(this.name, key);
      this.#objects.set(key, body.slice());
    });
  }

  /** Stores an object that is not too old. See {@linkcode DatedObjectStore.putDated}. */
  putDated(
    key: string,
    body: Uint8Array<ArrayBuffer>,
    dateMs: number,
    options: ObjectCallOptions = {},
  ): Promise<void> {
    return this.#answer(key, `put "${key}"`, options, () => {
      if (this.#clock.now() - dateMs > DATE_AGE_MAX_MS) throw outdated(this.name, key);
      const stored = this.#objects.get(key);
      if (stored && !isSameBytes(stored, body)) throw takenObject(this.name, key);
      this.#objects.set(key, body.slice());
    });
  }

  /** The whole object. See {@linkcode ObjectStore.get}. */
  get(key: string, options: ObjectCallOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    return this.#answer(key, `read "${key}"`, options, () => this.#find(key).slice());
  }

  /** A part of the object. See {@linkcode ObjectStore.getRange}. */
  getRange(
    key: string,
    offset: number,
    length: number,
    options: ObjectCallOptions = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    return this.#answer(key, `read "${key}"`, options, () => {
      assertRange(offset, length);
      const object = this.#find(key);
      checkRangeWithin(this.name, key, { offset, length, sizeBytes: object.length });
      return object.slice(offset, offset + length);
    });
  }

  /** The end of the object. See {@linkcode ObjectStore.getTail}. */
  getTail(key: string, length: number, options: ObjectCallOptions = {}): Promise<ObjectTail> {
    return this.#answer(key, `read "${key}"`, options, () => {
      assertRange(0, length);
      const object = this.#find(key);
      const bytes = object.slice(Math.max(0, object.length - length));
      return { bytes, sizeBytes: object.length };
    });
  }

  /** The object's entry. See {@linkcode ObjectStore.head}. */
  head(key: string, options: ObjectCallOptions = {}): Promise<ObjectEntry | undefined> {
    return this.#answer(key, `look up "${key}"`, options, () => {
      const object = this.#objects.get(key);
      return object && { key, sizeBytes: object.length };
    });
  }

  /** Removes an object. See {@linkcode ObjectStore.delete}. */
  delete(key: string, options: ObjectCallOptions = {}): Promise<void> {
    return this.#answer(key, `delete "${key}"`, options, () => {
      this.#objects.delete(key);
    });
  }

  /** The objects of a prefix. See {@linkcode ObjectStore.list}. */
  async *list(
    prefix: string,
    options: ObjectListOptions = {},
  ): AsyncGenerator<ObjectEntry> {
    const { after = "", limit } = options;
    checkSignal(options.signal, `list ${this.name}`);
    const wanted = (key: string) => key.startsWith(prefix) && key > after;
    for (const key of [...this.#objects.keys()].filter(wanted).sort().slice(0, limit)) {
      checkSignal(options.signal, `list ${this.name}`);
      const object = this.#objects.get(key);
      if (object) yield { key, sizeBytes: object.length };
      await Promise.resolve();
    }
  }

  /** Nothing to let go of. See {@linkcode ObjectStore.close}. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  #find(key: string): Uint8Array<ArrayBuffer> {
    const object = this.#objects.get(key);
    if (object === undefined) throw missingObject(this.name, key);
    return object;
  }

  /** Turns what is thrown into a rejection, as a caller of any other store gets it. */
  async #answer<T>(
    key: string,
    what: string,
    options: ObjectCallOptions,
    act: () => T,
  ): Promise<T> {
    checkKey(key);
    checkSignal(options.signal, what);
    await Promise.resolve();
    return act();
  }
}

function outdated(store: string, key: string): GraftError {
  return new GraftError("unavailable", `Cannot put "${key}" in ${store}: its date is too long ago`);
}
