/**
 * How the program ends.
 *
 * @module
 */

import { CommanderError } from "commander";
import { GraftError, type GraftErrorCode } from "../../core/errors.ts";

/** Exit codes; scripts rely on them. */
export const EXIT = {
  /** Done. */
  done: 0,
  /** Failed. */
  failed: 1,
  /** Wrong usage: an unknown flag, a value that cannot be. */
  usage: 2,
  /** Refused: a conflict, or not allowed. */
  refused: 3,
  /** Not found. */
  missing: 4,
  /** The server cannot be reached, or is overloaded. */
  unreachable: 5,
} as const;

/** A command line, variable or configuration that makes no sense. */
export class UsageError extends Error {
  /** The name that stack traces show. */
  override readonly name = "UsageError";
}

const EXIT_OF_CODE: Readonly<Record<GraftErrorCode, number>> = {
  invalid: EXIT.failed,
  missing: EXIT.missing,
  conflict: EXIT.refused,
  unauthorized: EXIT.refused,
  forbidden: EXIT.refused,
  unavailable: EXIT.unreachable,
  damaged: EXIT.failed,
  aborted: EXIT.failed,
  internal: EXIT.failed,
};

/** The exit code that an error stands for. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (error instanceof UsageError) return EXIT.usage;
  return error instanceof GraftError ? EXIT_OF_CODE[error.code] : EXIT.failed;
}

/** What is told of an error: a message and how to recover; the stack only of a bug. */
export function describeError(error: unknown): string {
  if (error instanceof GraftError) {
    return error.hint === undefined ? error.message : `${error.message}\n  ${error.hint}`;
  }
  if (error instanceof UsageError) return error.message;
  return error instanceof Error ? error.stack ?? error.message : String(error);
}
