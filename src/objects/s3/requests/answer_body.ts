/**
 * Bodies of answers, taken only whole.
 *
 * @module
 */

import { brokenAnswer } from "./s3_failure.ts";

// "bytes 5-9/20": the range and the size. A 416 has a star for the range; MinIO answers for the end of an
// empty object "bytes 0--1/0"
const CONTENT_RANGE = /^bytes (?:(\d+)-(-1|\d+)|\*)\/(\d+)$/;

/** A part of an object. */
export interface ObjectPart {
  /** Its bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where it starts in the object. */
  readonly offset: number;
  /** The length of the whole object. */
  readonly sizeBytes: number;
}

/**
 * The whole body of an answer.
 *
 * @param lengthMax The longest body that makes sense; nothing longer is read.
 * @param expect Told the length before the body is read.
 * @throws {S3Failure} When it is shorter or longer than announced, or too long.
 */
export async function wholeBody(
  response: Response,
  expect: (bytes: number) => void,
  lengthMax = Infinity,
): Promise<Uint8Array<ArrayBuffer>> {
  const length = announcedLength(response);
  if (length > lengthMax) throw brokenAnswer(`${length} bytes where ${lengthMax} were asked for`);
  expect(length);
  const bytes = await response.bytes();
  if (bytes.length === length) return bytes;
  throw brokenAnswer(`${bytes.length} bytes of ${length}`);
}

/**
 * The part of an object that an answer carries: with 206 the range that it names, with 200 all of it.
 *
 * @throws {S3Failure} When the answer does not tell, or carries another number of bytes.
 */
export async function objectPart(
  response: Response,
  expect: (bytes: number) => void,
): Promise<ObjectPart> {
  if (response.status === 200) {
    const bytes = await wholeBody(response, expect);
    return { bytes, offset: 0, sizeBytes: bytes.length };
  }
  const [, first, last, size] = CONTENT_RANGE.exec(response.headers.get("content-range") ?? "") ??
    [];
  const length = Number(last) - Number(first) + 1;
  if (!(length >= 0 && Number(last) < Number(size))) throw brokenAnswer("it names no range");
  const bytes = await wholeBody(response, expect, length);
  if (bytes.length !== length) throw brokenAnswer(`${bytes.length} bytes of ${length}`);
  return { bytes, offset: Number(first), sizeBytes: Number(size) };
}

/** The size of an object that a range is not in, where the 416 tells it. */
export function sizeBeyondRange(response: Response): number | undefined {
  const size = CONTENT_RANGE.exec(response.headers.get("content-range") ?? "")?.[3];
  return size === undefined ? undefined : Number(size);
}

/**
 * The length that an answer announces.
 *
 * @throws {S3Failure} When it announces none.
 */
export function announcedLength(response: Response): number {
  const text = response.headers.get("content-length");
  if (text === null || !/^\d+$/.test(text)) throw brokenAnswer("it does not tell its length");
  return Number(text);
}
