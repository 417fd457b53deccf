/**
 * The two ways in which errors are written: as the v0.1 protocol has them, and as problem details.
 *
 * @module
 */

import { encodeGraftErr } from "../../wire/messages.ts";
import { MEDIA_TYPE, toWireError } from "../../wire/protocol.ts";
import type { Failure } from "./failure.ts";

/** Writes the body of an error. */
export interface ErrorFormat {
  /** The content type of what {@linkcode ErrorFormat.encode} returns. */
  readonly mediaType: string;
  /** The body. */
  encode(failure: Failure, requestId: () => string): string | Uint8Array<ArrayBuffer>;
}

/** `GraftErr`, for the paths of the v0.1 protocol. Its client shows the message and nothing else. */
export const graftErrFormat: ErrorFormat = {
  mediaType: MEDIA_TYPE,
  encode(failure) {
    const { code } = toWireError(failure.code);
    const message = failure.hint === undefined
      ? failure.message
      : `${failure.message} (${failure.hint})`;
    return encodeGraftErr({ code, message });
  },
};

/** Problem details (RFC 9457), for everything else. */
export const problemFormat: ErrorFormat = {
  mediaType: "application/problem+json",
  encode(failure, requestId) {
    return JSON.stringify({
      type: `urn:graft:error:${failure.code}`,
      title: TITLES[failure.code],
      status: failure.status,
      detail: failure.message,
      hint: failure.hint,
      code: failure.code,
      requestId: requestId(),
    });
  },
};

const TITLES: Readonly<Record<Failure["code"], string>> = {
  invalid: "The request is malformed or breaks a limit",
  missing: "It is not there",
  conflict: "Another commit landed first",
  unauthorized: "The request carries no valid token",
  forbidden: "This is not allowed",
  unavailable: "The server cannot do this now",
  damaged: "Stored bytes fail their checksum",
  aborted: "The request was given up",
  internal: "The server failed",
};
