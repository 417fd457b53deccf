/**
 * Tokens: PASETO v4.local, as the original uses them.
 *
 * @module
 */

import { decrypt, encrypt } from "paseto-ts/v4";
import { assert } from "../../core/assert.ts";
import { GraftError } from "../../core/errors.ts";
import type { Random } from "../../core/random.ts";
import { type Claims, claimsToPayload, parseClaims } from "./claims.ts";
import { type AuthKey, toPaserk } from "./keys.ts";

const TOKEN_PREFIX = "v4.local.";
/** A token that lists a hundred volumes has about 4,000 characters. */
const TOKEN_CHARACTERS_MAX = 16_384;
/** A nonce and a tag of 32 bytes each, in base64url. */
const TOKEN_PATTERN = /^v4\.local\.[A-Za-z0-9_-]{86,}(\.[A-Za-z0-9_-]*)?$/;
/** The library's own checks of `iat` and `exp` allow no skew and know no clock but the machine's. */
const UNCHECKED = { validatePayload: false } as const;

/**
 * Makes a token.
 *
 * @param key Whoever has it can open the token and make others.
 * @param claims What the token allows, and for how long.
 * @param random Gives the nonce.
 */
export function signToken(key: AuthKey, claims: Claims, random: Random): string {
  const token = encrypt(toPaserk(key), JSON.stringify(claimsToPayload(claims)), {
    ...UNCHECKED,
    addIat: false,
    addExp: false,
    getRandomValues: (bytes: Uint8Array) => random.fill(bytes as Uint8Array<ArrayBuffer>),
  });
  assert(token.startsWith(TOKEN_PREFIX), "A token has another version or purpose");
  return token;
}

/**
 * Opens a token with whichever of the keys fits, and reads its claims. Its times are not checked:
 * see {@linkcode requireTime}.
 *
 * @throws {GraftError} `unauthorized` when it is malformed or made with another key. The message never
 * repeats the token.
 */
export function openToken(keys: readonly AuthKey[], token: string): Claims {
  if (token.length > TOKEN_CHARACTERS_MAX || !TOKEN_PATTERN.test(token)) {
    throw new GraftError(
      "unauthorized",
      "Cannot accept the token: it is malformed, no PASETO v4.local",
    );
  }
  for (const key of keys) {
    const payload = tryDecrypt(key, token);
    if (payload !== undefined) return parseClaims(payload);
  }
  throw new GraftError(
    "unauthorized",
    "Cannot accept the token: it was changed, or made with a key that is not among those given",
  );
}

function tryDecrypt(key: AuthKey, token: string): unknown {
  try {
    return decrypt(toPaserk(key), token, UNCHECKED).payload;
  } catch {
    // its errors differ by the depth they occur at, and some quote what they read
    return undefined;
  }
}
