/**
 * Errors on their way out of the server.
 *
 * @module
 */

import { GraftError, type GraftErrorCode } from "../../core/errors.ts";

/** What of an error may be told to a client. */
export interface Failure {
  /** The HTTP status. */
  readonly status: number;
  /** What the client can do about it. */
  readonly code: GraftErrorCode;
  /** What went wrong, without anything internal. */
  readonly message: string;
  /** How to recover, where there is a way. */
  readonly hint: string | undefined;
}

/** Seconds after which a client may try again what the server could not do now. */
export const RETRY_AFTER_SECONDS = 1;

/** An error that has an HTTP status of its own, beyond what its code stands for. */
export class StatusError extends GraftError {
  /** The HTTP status. */
  readonly status: number;
  /** Headers that the status calls for. */
  readonly headers: Readonly<Record<string, string>>;

  /** An `invalid` error that is answered with `status`. */
  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super("invalid", message);
    this.status = status;
    this.headers = headers;
  }
}

/** What was there was deleted for ever: `missing`, with a status of its own. */
export class GoneError extends GraftError {
  /** The HTTP status. */
  readonly status = 410;

  /** Of an error that says the same. */
  constructor(cause: GraftError) {
    super("missing", cause.message, { cause, hint: cause.hint });
  }
}

const STATUS: Readonly<Record<GraftErrorCode, number>> = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  missing: 404,
  conflict: 409,
  damaged: 500,
  internal: 500,
  unavailable: 503,
  aborted: 503,
};

/**
 * What a client is told of an error. Anything but a GraftError is a bug: its text stays in the log, where
 * the request id leads; so does that of an error with another text for the public.
 */
export function toFailure(error: unknown, requestId: () => string): Failure {
  if (!(error instanceof GraftError) || error.code === "internal") {
    const message = `Cannot serve request ${requestId()}: the server failed`;
    return { status: 500, code: "internal", message, hint: "Report it with the server's log" };
  }
  const hasStatus = error instanceof StatusError || error instanceof GoneError;
  const status = hasStatus ? error.status : STATUS[error.code];
  const { code, publicMessage } = error;
  if (publicMessage !== undefined) return { status, code, message: publicMessage, hint: undefined };
  return { status, code, message: error.message, hint: error.hint };
}

/** The headers that an answer with this failure carries beside its content type. */
export function failureHeaders(failure: Failure, error: unknown): Record<string, string> {
  return {
    ...(failure.status === 401 ? { "www-authenticate": "Bearer" } : {}),
    ...(failure.status === 503 ? { "retry-after": String(RETRY_AFTER_SECONDS) } : {}),
    ...(error instanceof StatusError ? error.headers : {}),
  };
}
