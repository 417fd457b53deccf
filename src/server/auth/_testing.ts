// What tests of tokens share.

import type { Clock } from "../../core/clock.ts";
import { systemRandom } from "../../core/random.ts";
import { ALL_RIGHTS, type Claims } from "./claims.ts";
import { type AuthKey, newAuthKey } from "./keys.ts";
import { signToken } from "./tokens.ts";

/** A clock that stands still until it is moved. */
export class FixedClock implements Clock {
  nowMs = Date.parse("2026-05-01T12:00:00Z");
  monotonicMs = 0;

  now(): number {
    return this.nowMs;
  }

  monotonic(): number {
    return this.monotonicMs;
  }
}

export const KEY: AuthKey = newAuthKey(systemRandom);
export const OTHER_KEY: AuthKey = newAuthKey(systemRandom);

/** A token made with {@linkcode KEY}, or another. */
export function tokenWith(claims: Partial<Claims>, key: AuthKey = KEY): string {
  return signToken(key, { ...ALL_RIGHTS, subject: "test", ...claims }, systemRandom);
}
