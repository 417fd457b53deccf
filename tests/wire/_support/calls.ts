/**
 * Requests to a server, and what may be expected of its answers.
 *
 * @module
 */

import assert from "node:assert/strict";
import { PATH, readError } from "./messages.ts";
import type { Bytes } from "./protobuf.ts";

/** The media type of the protocol. */
export const PROTOBUF = "application/x-protobuf";

/** Where the two halves of a server listen; often the same. */
export interface Endpoints {
  /** Answers `/metastore/…` and everything else. */
  readonly metastore: string;
  /** Answers `/pagestore/…`. */
  readonly pagestore: string;
}

/** An answer, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Bytes;
}

/** The error codes of the protocol, each with the status it comes with. */
export const REFUSAL = {
  invalid: { status: 400, code: 1 },
  missing: { status: 404, code: 2 },
  conflict: { status: 409, code: 3 },
  unauthorized: { status: 401, code: 4 },
  forbidden: { status: 403, code: 4 },
  unavailable: { status: 503, code: 101 },
} as const;

/** Sends a protocol request; `headers` beat the default ones, and an empty value removes one. */
export async function call(
  to: Endpoints,
  path: string,
  body: BodyInit | Uint8Array<ArrayBuffer> | null,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const url = (path.startsWith("/pagestore/") ? to.pagestore : to.metastore) + path;
  const merged = Object.entries({ "content-type": PROTOBUF, ...headers });
  const sent = Object.fromEntries(merged.filter(([, value]) => value !== ""));
  const response = await fetch(url, { method: "POST", headers: sent, body });
  return await answerOf(response);
}

/** Reads a response to its end. */
export async function answerOf(response: Response): Promise<Answer> {
  const body = new Uint8Array(await response.arrayBuffer());
  return { status: response.status, headers: response.headers, body };
}

/** The body of an answer that must be a success of the protocol. */
export function accepted(answer: Answer): Bytes {
  assert.equal(answer.status, 200, describe(answer));
  assert.equal(answer.headers.get("content-type"), PROTOBUF);
  return answer.body;
}

/**
 * Asserts that an answer is one refusal of the protocol, complete with status, code and media type.
 *
 * @returns The message, which matches `message`.
 */
export function refused(answer: Answer, kind: keyof typeof REFUSAL, message = /./): string {
  const wanted = REFUSAL[kind];
  assert.equal(answer.status, wanted.status, describe(answer));
  // the original client reads no answer of another type, errors included
  assert.equal(answer.headers.get("content-type"), PROTOBUF);
  const error = readError(answer.body);
  assert.equal(error.code, wanted.code, error.message);
  assert.match(error.message, message);
  return error.message;
}

/** `GET /health`, which answers `OK`. */
export async function health(to: Endpoints): Promise<string> {
  const response = await fetch(`${to.metastore}/health`);
  return `${response.status} ${await response.text()}`;
}

/** The six paths, by the name of their call. */
export const PATHS = Object.values(PATH);

function describe({ status, body }: Answer): string {
  try {
    return `${status}: ${readError(body).message}`;
  } catch {
    return `${status}: ${new TextDecoder().decode(body.subarray(0, 300))}`;
  }
}
