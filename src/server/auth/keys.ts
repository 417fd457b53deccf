/**
 * The keys that sign tokens.
 *
 * @module
 */

import { GraftError } from "../../core/errors.ts";
import type { Random } from "../../core/random.ts";

declare const authKeyBrand: unique symbol;

/** A 32-byte key as 64 lower-case hex digits. It never goes into a message or a log. */
export type AuthKey = string & { readonly [authKeyBrand]: true };

const KEY_BYTES = 32;
const KEY_PATTERN = /^[0-9a-f]{64}$/;

/**
 * Reads a key from its text form, as all services of a deployment share it.
 *
 * @throws {GraftError} `invalid` unless it is 64 hex digits; the message does not repeat them.
 *
 * @example
 * ```ts
 * import { parseAuthKey } from "./keys.ts";
 *
 * parseAuthKey("00".repeat(32));
 * ```
 */
export function parseAuthKey(text: string): AuthKey {
  const key = text.trim().toLowerCase();
  if (KEY_PATTERN.test(key)) return key as AuthKey;
  const state = key.length === KEY_BYTES * 2
    ? "some of its characters are no hex digits"
    : `it has ${key.length} characters instead of ${KEY_BYTES * 2} hex digits`;
  throw new GraftError("invalid", `Cannot use the auth key: ${state}`, {
    hint: "Make one with: graft key new",
  });
}

/** Makes a new key. */
export function newAuthKey(random: Random): AuthKey {
  return random.fill(new Uint8Array(KEY_BYTES)).toHex() as AuthKey;
}

/** The key as PASETO libraries take it: `k4.local.` and base64url. */
export function toPaserk(key: AuthKey): string {
  const bytes = Uint8Array.fromHex(key);
  return `k4.local.${bytes.toBase64({ alphabet: "base64url", omitPadding: true })}`;
}
