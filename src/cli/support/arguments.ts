/**
 * Values of flags and arguments.
 *
 * @module
 */

import { InvalidArgumentError } from "commander";
import { GraftError } from "../../core/errors.ts";
import { UsageError } from "./failure.ts";

/** Turns text into a value, or throws GraftError `invalid` or {@linkcode UsageError}. */
export type Parse<T> = (text: string) => T;

/** A parser as commander takes it: what it throws becomes a usage error that names the flag. */
export function argument<T>(parse: Parse<T>): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof GraftError || error instanceof UsageError) {
        throw new InvalidArgumentError(error.message);
      }
      throw error;
    }
  };
}

/** How commander begins where a parser refused a value: the name of the flag is all that the message lacks. */
const REFUSED =
  /^error: (?:option '(?:-\w, )?(--[\w-]+)[^']*' argument|command-argument value) '[^]*?\. (?=Cannot )/;

/**
 * What commander says of a refused value, in the words of every other message: `error: Cannot …`, behind the flag that
 * had it.
 */
export function plainRefusal(text: string): string {
  return text.replace(REFUSED, (_, flag) => flag === undefined ? "error: " : `error: ${flag}: `);
}

/** Like {@linkcode argument}, for a flag that may be repeated, or hold several values between commas. */
export function listArgument<T>(parse: Parse<T>): (text: string, previous?: T[]) => T[] {
  const one = argument(parse);
  return (text, previous = []) => [
    ...previous,
    ...text.split(",").map((part) => part.trim()).filter((part) => part !== "").map(one),
  ];
}
