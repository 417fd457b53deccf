/**
 * What the clients of a server are told when one of its stores fails.
 *
 * @module
 */

import { GraftError, isGraftError } from "../core/errors.ts";

/** A store as the public knows it. */
export type PublicStoreName = "object store" | "commit log";

/** Characters of another server's words that a message repeats. */
const FOREIGN_CHARS_MAX = 200;

/** Another server's words, cut: a proxy's may be a whole page. */
export function foreignWords(text: string): string {
  const words = text.trim();
  return words.length <= FOREIGN_CHARS_MAX ? words : `${words.slice(0, FOREIGN_CHARS_MAX)}…`;
}

/** What the public is told when a store is `unavailable`, whatever the reason. */
export function notAnswering(store: PublicStoreName): string {
  return `Cannot answer the request: the ${store} does not answer now`;
}

/**
 * The same error with other words for the public: a store's errors name its address, its keys and its
 * settings, and quote other servers. Who starts the program still reads all of that.
 *
 * @param name The store's address, which the public does not learn from errors of other codes either.
 */
export function storeFailure(store: PublicStoreName, name: string, error: unknown): unknown {
  if (!isGraftError(error) || error.publicMessage !== undefined) return error;
  const { code, message, hint } = error;
  if (code !== "unavailable" && !message.includes(name)) return error;
  const publicMessage = code === "unavailable"
    ? notAnswering(store)
    : message.replaceAll(name, `the ${store}`);
  return new GraftError(code, message, { cause: error, hint, publicMessage });
}
