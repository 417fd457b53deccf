/**
 * Values for whoever iterates over them.
 *
 * @module
 */

/** Makes one value of two that wait: the older one, then the newer. */
export type Merge<T> = (older: T, newer: T) => T;

/** A reader: it waits for a value, or at most one waits for it. */
class Reader<T> implements AsyncIterableIterator<T> {
  readonly #merge: Merge<T>;
  readonly #onEnd: (reader: Reader<T>) => void;
  #value: { readonly value: T } | undefined;
  readonly #waiting: ((result: IteratorResult<T>) => void)[] = [];
  #isEnded = false;

  constructor(merge: Merge<T>, onEnd: (reader: Reader<T>) => void) {
    this.#merge = merge;
    this.#onEnd = onEnd;
  }

  tell(value: T): void {
    const next = this.#waiting.shift();
    if (next !== undefined) return next({ done: false, value });
    const older = this.#value;
    this.#value = { value: older === undefined ? value : this.#merge(older.value, value) };
  }

  end(): void {
    this.#isEnded = true;
    for (const next of this.#waiting.splice(0)) next({ done: true, value: undefined });
  }

  next(): Promise<IteratorResult<T>> {
    const known = this.#value;
    this.#value = undefined;
    if (known !== undefined) return Promise.resolve({ done: false, value: known.value });
    if (this.#isEnded) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  return(): Promise<IteratorResult<T>> {
    this.#value = undefined;
    this.end();
    this.#onEnd(this);
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/**
 * Tells values to any number of readers. What a slow reader has not taken is merged into one value, so that
 * nothing grows.
 */
export class Feed<T> {
  readonly #merge: Merge<T>;
  readonly #readers = new Set<Reader<T>>();

  /** Nobody reads. */
  constructor(merge: Merge<T>) {
    this.#merge = merge;
  }

  /** Reads all values that are told from now on. */
  read(): AsyncIterableIterator<T> {
    const reader = new Reader(this.#merge, (ended) => this.#readers.delete(ended));
    this.#readers.add(reader);
    return reader;
  }

  /** Tells a value. */
  tell(value: T): void {
    for (const reader of this.#readers) reader.tell(value);
  }

  /** Nothing is told any more: readers take what waits for them, and end. */
  end(): void {
    for (const reader of this.#readers) reader.end();
    this.#readers.clear();
  }
}
