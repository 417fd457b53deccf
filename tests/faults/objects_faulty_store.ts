/**
 * An object store that fails when told.
 *
 * @module
 */

import { GraftError } from "../../src/core/errors.ts";
import type { Timers } from "../../src/core/timers.ts";
import type {
  DatedObjectStore,
  ObjectCallOptions,
  ObjectEntry,
  ObjectListOptions,
  ObjectTail,
} from "../../src/objects/object_store.ts";

/** What a call is about. */
export interface FaultyCall {
  /** The method. */
  readonly operation:
    | "put"
    | "putDated"
    | "get"
    | "getRange"
    | "getTail"
    | "head"
    | "delete"
    | "list";
  /** The key, or the prefix of a listing. */
  readonly key: string;
  /** How many calls came before it. */
  readonly number: number;
}

/**
 * What goes wrong with a call:
 *
 * - `fail before`: it fails and nothing has happened.
 * - `fail after`: it takes effect, and its answer is lost.
 * - `delay`: it waits before it begins.
 * - `truncate`: a read answers fewer bytes, a put stores fewer.
 * - `flip a bit`: of what a read answers or a put stores. Bits count from the first byte's lowest.
 */
export type Fault =
  | { readonly kind: "fail before" | "fail after"; readonly error?: Error }
  | { readonly kind: "delay"; readonly delayMs: number }
  | { readonly kind: "truncate"; readonly toBytes: number }
  | { readonly kind: "flip a bit"; readonly bit: number };

/** Decides what goes wrong with a call; nothing without an answer. */
export type FaultPlan = (call: FaultyCall) => Fault | undefined;

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * Passes calls on to another store, with faults.
 *
 * @example
 * ```ts
 * import { MemoryStore } from "../../src/objects/memory_store.ts";
 * import { systemTimers } from "../../src/core/timers.ts";
 * import { FaultyStore } from "./objects_faulty_store.ts";
 *
 * const store = new FaultyStore(new MemoryStore(), systemTimers);
 * store.plan = ({ operation }) => operation === "put" ? { kind: "fail after" } : undefined;
 * await store.put("segments/a", new Uint8Array(3)).catch((error) => console.log(error.code));
 * console.log((await store.get("segments/a")).length); // unavailable, 3
 * ```
 */
export class FaultyStore implements DatedObjectStore {
  /** What goes wrong; nothing until it is set. */
  plan: FaultPlan = () => undefined;
  readonly #inner: DatedObjectStore;
  readonly #timers: Timers;
  #calls = 0;

  /** Adds faults to `inner`. */
  constructor(inner: DatedObjectStore, timers: Timers) {
    this.#inner = inner;
    this.#timers = timers;
  }

  /** The name of the inner store. */
  get name(): string {
    return this.#inner.name;
  }

  /** How many calls there were. */
  get calls(): number {
    return this.#calls;
  }

  put(
    key: string,
    body: Bytes,
    options?: ObjectCallOptions & { readonly ifAbsent?: boolean },
  ): Promise<void> {
    return this.#call("put", key, (fault) => this.#inner.put(key, spoil(body, fault), options));
  }

  putDated(key: string, body: Bytes, dateMs: number, options?: ObjectCallOptions): Promise<void> {
    return this.#call(
      "putDated",
      key,
      (fault) => this.#inner.putDated(key, spoil(body, fault), dateMs, options),
    );
  }

  get(key: string, options?: ObjectCallOptions): Promise<Bytes> {
    return this.#call(
      "get",
      key,
      async (fault) => spoil(await this.#inner.get(key, options), fault),
    );
  }

  getRange(
    key: string,
    offset: number,
    length: number,
    options?: ObjectCallOptions,
  ): Promise<Bytes> {
    return this.#call("getRange", key, async (fault) => {
      return spoil(await this.#inner.getRange(key, offset, length, options), fault);
    });
  }

  getTail(key: string, length: number, options?: ObjectCallOptions): Promise<ObjectTail> {
    return this.#call("getTail", key, async (fault) => {
      const tail = await this.#inner.getTail(key, length, options);
      return { ...tail, bytes: spoil(tail.bytes, fault) };
    });
  }

  head(key: string, options?: ObjectCallOptions): Promise<ObjectEntry | undefined> {
    return this.#call("head", key, () => this.#inner.head(key, options));
  }

  delete(key: string, options?: ObjectCallOptions): Promise<void> {
    return this.#call("delete", key, () => this.#inner.delete(key, options));
  }

  /** A listing fails before its first entry, or after its last. */
  async *list(
    prefix: string,
    options?: ObjectListOptions,
  ): AsyncGenerator<ObjectEntry> {
    const fault = await this.#begin("list", prefix);
    yield* this.#inner.list(prefix, options);
    if (fault?.kind === "fail after") throw errorOf(fault, "list", prefix);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  async #call<T>(
    operation: FaultyCall["operation"],
    key: string,
    act: (fault: Fault | undefined) => Promise<T>,
  ): Promise<T> {
    const fault = await this.#begin(operation, key);
    const result = await act(fault);
    if (fault?.kind === "fail after") throw errorOf(fault, operation, key);
    return result;
  }

  async #begin(operation: FaultyCall["operation"], key: string): Promise<Fault | undefined> {
    const fault = this.plan({ operation, key, number: this.#calls++ });
    if (fault?.kind === "fail before") throw errorOf(fault, operation, key);
    if (fault?.kind === "delay") await this.#timers.sleep(fault.delayMs);
    return fault;
  }
}

function errorOf(fault: { readonly error?: Error }, operation: string, key: string): Error {
  const message = `Cannot ${operation} "${key}": the store does not answer`;
  return fault.error ?? new GraftError("unavailable", message);
}

function spoil(bytes: Bytes, fault: Fault | undefined): Bytes {
  if (fault?.kind === "truncate") return bytes.slice(0, fault.toBytes);
  if (fault?.kind !== "flip a bit" || bytes.length === 0) return bytes;
  const spoilt = bytes.slice();
  const bit = fault.bit % (bytes.length * 8);
  spoilt[bit >>> 3] ^= 1 << (bit & 7);
  return spoilt;
}
