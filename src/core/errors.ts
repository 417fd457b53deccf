/**
 * The one public error of the project.
 *
 * @module
 */

/**
 * What a caller can do about an error:
 *
 * | code | meaning | what to do |
 * |---|---|---|
 * | `invalid` | the input is malformed or breaks a limit | fix the input |
 * | `missing` | the volume, the LSN or the object is not there | stop, or pull and look again |
 * | `conflict` | another commit landed on the snapshot first | pull, then redo the work |
 * | `unauthorized` | no token, or one that does not verify | fix the token |
 * | `forbidden` | the token does not allow this | ask for another token |
 * | `unavailable` | overload, a full disk, a store that does not answer | retry later |
 * | `damaged` | stored bytes fail their checksum | stop and report |
 * | `aborted` | the caller's AbortSignal fired | nothing |
 * | `internal` | a bug | report |
 */
export type GraftErrorCode =
  | "invalid"
  | "missing"
  | "conflict"
  | "unauthorized"
  | "forbidden"
  | "unavailable"
  | "damaged"
  | "aborted"
  | "internal";

/** What may accompany a {@linkcode GraftError}. */
export interface GraftErrorOptions {
  /** The lower error that led to this one. */
  cause?: unknown;
  /** One sentence that says how to recover, shown after the message. */
  hint?: string;
  /**
   * What a server's clients are told instead of message and hint, where those name what is its operator's
   * alone: paths, keys, another server's words.
   */
  publicMessage?: string;
}

/**
 * An error with a code that says what to do about it.
 *
 * Messages read `Cannot <verb> <object>: <state>`.
 *
 * @example
 * ```ts
 * import { GraftError } from "./errors.ts";
 *
 * const error = new GraftError("missing", 'Cannot read volume "Gon…": LSN 7 is above the head 3');
 * console.log(error.code); // "missing"
 * ```
 */
export class GraftError extends Error {
  /** The name that stack traces and logs show. */
  override readonly name = "GraftError";
  /** What a caller can do about it. */
  readonly code: GraftErrorCode;
  /** How to recover, where there is a way that the message does not make plain. */
  readonly hint: string | undefined;
  /** What a server's clients are told instead of message and hint; undefined: these. */
  readonly publicMessage: string | undefined;

  /** Makes an error; `message` is sentence case without a final period. */
  constructor(code: GraftErrorCode, message: string, options: GraftErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.publicMessage = options.publicMessage;
  }
}

/**
 * Tells whether `error` is a {@linkcode GraftError}, and of this code if one is given.
 *
 * @example
 * ```ts
 * import { GraftError, isGraftError } from "./errors.ts";
 *
 * const error = new GraftError("conflict", "Cannot commit: LSN 4 is taken");
 * console.log(isGraftError(error, "conflict")); // true
 * ```
 */
export function isGraftError(error: unknown, code?: GraftErrorCode): error is GraftError {
  return error instanceof GraftError && (code === undefined || error.code === code);
}
