/**
 * The part of `node:assert/strict` that conformance suites use, for browsers.
 *
 * @module
 */

/** Throws unless `condition` holds. */
export function ok(condition: unknown, message = "The condition does not hold"): asserts condition {
  if (!condition) throw new Error(message);
}

/** Throws unless both are the same value. */
export function equal(actual: unknown, expected: unknown, message?: string): void {
  ok(Object.is(actual, expected), message ?? `${show(actual)} is not ${show(expected)}`);
}

/** Throws unless both are equal, part by part. */
export function deepEqual(actual: unknown, expected: unknown, message?: string): void {
  ok(isEqual(actual, expected), message ?? `${show(actual)} does not equal ${show(expected)}`);
}

/**
 * Throws unless a promise, or the one that a function returns, rejects as expected: with these properties, or so
 * that the function holds.
 */
export async function rejects(
  actual: Promise<unknown> | (() => Promise<unknown>),
  expected: Record<string, unknown> | ((error: unknown) => boolean),
): Promise<void> {
  const error = await (typeof actual === "function" ? actual() : actual).then(
    () => {
      throw new Error("The promise did not reject");
    },
    (error: unknown) => error,
  );
  if (typeof expected === "function") return ok(expected(error), `Another error: ${error}`);
  for (const [key, value] of Object.entries(expected)) {
    deepEqual((error as Record<string, unknown>)[key], value);
  }
}

function isEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b)) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && isEqual(a[key], b[key]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function show(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} bytes (${value.subarray(0, 8)}…)`;
  const text = JSON.stringify(value, (_, part) => typeof part === "bigint" ? `${part}n` : part);
  return (text ?? String(value)).slice(0, 300);
}
