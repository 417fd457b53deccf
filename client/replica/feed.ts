/**
 * Values for whoever iterates over them.
 *
 * @module
 */

/** Makes one value of two that wait: the older one, then the newer. */
export type Merge<T> = (older: T, newer: T) => T;

/** A reader: at most one value waits for it. */
class Reader<T> implements AsyncIterableIterator<T> {
  readonly #merge: Merge<T>;
  readonly #onEnd: (reader: Reader<T>) => void;
  #value: { readonly value: T } | undefined;
  #waiting: (() => void)[] = [];
  #isEnded = false;

  constructor(merge: Merge<T>, onEnd: (reader: Reader<T>) => void) {
    this.#merge = merge;
    this.#onEnd = onEnd;
  }

  tell(value: T): void {
    const waiting = this.#value;
    this.#value = { value: waiting === undefined ? value : this.#merge(waiting.value, value) };
    this.#wake();
  }

  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  async next(): Promise<IteratorResult<T>> {
    while (this.#value === undefined) {
      if (this.#isEnded) return { done: true, value: undefined };
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    const { value } = this.#value;
    this.#value = undefined;
    return { done: false, value };
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

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
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
