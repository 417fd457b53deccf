/**
 * From an `Authorization` header to claims.
 *
 * @module
 */

import { LRUCache } from "lru-cache";
import { assert } from "../../core/assert.ts";
import type { Clock } from "../../core/clock.ts";
import { GraftError } from "../../core/errors.ts";
import { type Claims, requireTime } from "./claims.ts";
import type { AuthKey } from "./keys.ts";
import { openToken } from "./tokens.ts";

/** Tokens remembered: opening one costs about a hundred microseconds, finding it again a look-up. */
const TOKENS_MAX = 1024;
const SCHEME = /^Bearer +(\S+)$/;

/** Checks tokens against the keys of a server. */
export class Authenticator {
  readonly #keys: readonly AuthKey[];
  readonly #clock: Clock;
  readonly #known = new LRUCache<string, Claims>({ max: TOKENS_MAX });

  /** All `keys` are accepted; there must be one. */
  constructor(keys: readonly AuthKey[], clock: Clock) {
    assert(keys.length > 0, "An authenticator has no key");
    this.#keys = keys;
    this.#clock = clock;
  }

  /**
   * The claims that a request comes with.
   *
   * @param header The value of its `Authorization` header; null without one.
   * @throws {GraftError} `unauthorized` that says what is wrong: no token, malformed, foreign or expired.
   */
  authenticate(header: string | null): Claims {
    if (header === null) {
      throw new GraftError("unauthorized", "Cannot serve the request: it carries no token", {
        hint: "Send it as: Authorization: Bearer TOKEN",
      });
    }
    const claims = this.#known.get(header) ?? this.#open(header);
    requireTime(claims, this.#clock.now());
    return claims;
  }

  #open(header: string): Claims {
    const token = SCHEME.exec(header)?.[1];
    if (token === undefined) {
      throw new GraftError(
        "unauthorized",
        'Cannot serve the request: its Authorization header is not "Bearer" and a token',
      );
    }
    const claims = openToken(this.#keys, token);
    requireTime(claims, this.#clock.now());
    this.#known.set(header, claims);
    return claims;
  }
}
