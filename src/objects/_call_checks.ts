// What every store checks before it acts, so that all of them refuse the same calls in the same words.

import { assert } from "../core/assert.ts";
import { GraftError } from "../core/errors.ts";

/** Characters of a key: what S3 takes. */
const KEY_LENGTH_MAX = 1024;
/** Characters of one part of a key: what file systems take as a name. */
const KEY_PART_LENGTH_MAX = 255;
const KEY_PART = /^[A-Za-z0-9._-]+$/;
/** The first part that no key may have: a disk store keeps its temporary files there. */
export const RESERVED_PART = "tmp";

/** Whether `part` may stand between the slashes of a key. */
export function isKeyPart(part: string): boolean {
  return part.length <= KEY_PART_LENGTH_MAX && KEY_PART.test(part) && part !== "." && part !== "..";
}

/** Whether `key` is one. */
export function isKey(key: string): boolean {
  const parts = key.split("/");
  return key.length <= KEY_LENGTH_MAX && parts.every(isKeyPart) && parts[0] !== RESERVED_PART;
}

/** Whether a key may start with `prefix`. */
export function mayStartKey(prefix: string): boolean {
  const folders = prefix.split("/");
  const rest = folders.pop() ?? "";
  const isRestFine = rest === "" || KEY_PART.test(rest);
  return isRestFine && folders.every(isKeyPart) && folders[0] !== RESERVED_PART;
}

/** Throws GraftError `invalid` unless `key` is one. */
export function checkKey(key: string): void {
  if (isKey(key)) return;
  throw new GraftError(
    "invalid",
    `Cannot use "${key.slice(0, KEY_LENGTH_MAX)}" as an object's key: ` +
      "keys are parts of letters, digits, dots, dashes and underscores, joined by slashes",
    { hint: `The first part "${RESERVED_PART}" is reserved, and "." and ".." are no parts` },
  );
}

/** Throws GraftError `aborted` when the caller has given up. */
export function checkSignal(signal: AbortSignal | undefined, what: string): void {
  if (!signal?.aborted) return;
  throw new GraftError("aborted", `Cannot ${what}: the caller gave up`, { cause: signal.reason });
}

/** A range is the caller's arithmetic on a directory that it has checked: a bad one is a bug. */
export function assertRange(offset: number, length: number): void {
  assert(Number.isSafeInteger(offset) && offset >= 0, "A range starts at a whole number from 0");
  assert(Number.isSafeInteger(length) && length >= 0, "A range's length is a whole number from 0");
}

/** The error of a key that names nothing. */
export function missingObject(store: string, key: string): GraftError {
  return new GraftError("missing", `Cannot read "${key}" from ${store}: there is no such object`);
}

/** The error of a key that is taken. */
export function takenObject(store: string, key: string): GraftError {
  return new GraftError("conflict", `Cannot put "${key}" into ${store}: the key is taken`);
}

/** Throws GraftError `damaged` unless the object is long enough for the range. */
export function checkRangeWithin(
  store: string,
  key: string,
  range: { readonly offset: number; readonly length: number; readonly sizeBytes: number },
): void {
  const end = range.offset + range.length;
  if (end <= range.sizeBytes) return;
  throw new GraftError(
    "damaged",
    `Cannot read bytes ${range.offset} to ${end} of "${key}" from ${store}: ` +
      `the object has ${range.sizeBytes} bytes`,
  );
}
