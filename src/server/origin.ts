/**
 * Origins of web pages.
 *
 * @module
 */

import { GraftError } from "../core/errors.ts";

/** Of extensions and of apps that show pages of their own; URL has no origin for these. */
const APP_ORIGIN = /^(?!https?:|file:)[a-z][a-z0-9+.-]*:\/\/[^\s/?#@]+$/;

/**
 * Checks an origin that may call: as browsers send it, or `*`.
 *
 * It is compared letter by letter with what they send, so that anything that they never send is refused: a path, a
 * slash at the end, a port that the scheme implies, a star in between. So is `null`, which every page can be in a
 * sandbox.
 *
 * @returns The origin.
 * @throws {GraftError} `invalid` for anything else.
 *
 * @example
 * ```ts
 * import { parseOrigin } from "./origin.ts";
 *
 * console.log(parseOrigin("https://app.example.com")); // "https://app.example.com"
 * ```
 */
export function parseOrigin(text: string): string {
  const isOrigin = URL.parse(text)?.origin === text || APP_ORIGIN.test(text);
  if (text === "*" || (isOrigin && !text.includes("*"))) return text;
  throw new GraftError(
    "invalid",
    `Cannot let pages of "${text}" call: it is no origin as browsers send it`,
    { hint: "For example https://app.example.com, http://localhost:8080, or * for all" },
  );
}
