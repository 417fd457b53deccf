/**
 * What a token allows.
 *
 * Beside PASETO's registered claims (`sub`, `iat`, `nbf`, `exp`: RFC 3339 times) a token may carry two of ours:
 *
 * ```json
 * { "volumes": "all" | ["GonwTRj2SohJzYLLjD9nSq", …], "can": ["read", "write", "fork", "admin"] }
 * ```
 *
 * A claim that is absent restricts nothing, so the tokens of the original, which carry a subject only,
 * allow everything.
 *
 * @module
 */

import { GraftError } from "../../core/errors.ts";
import { parseGid, type VolumeId } from "../../core/gid.ts";

/** What a token may allow on a volume. */
export const VERBS = ["read", "write", "fork", "admin"] as const;

/** One of {@linkcode VERBS}. */
export type Verb = (typeof VERBS)[number];

/** The claims of a token, checked. */
export interface Claims {
  /** Whom the token was made for. */
  readonly subject: string | undefined;
  /** The volumes that it is good for. */
  readonly volumes: "all" | ReadonlySet<VolumeId>;
  /** What it allows on them. */
  readonly can: ReadonlySet<Verb>;
  /** When it was made, in milliseconds since 1970. */
  readonly issuedAtMs: number | undefined;
  /** When it becomes valid, in milliseconds since 1970. */
  readonly notBeforeMs: number | undefined;
  /** When it ends, in milliseconds since 1970; undefined: never. */
  readonly expiresAtMs: number | undefined;
}

/** The claims of whoever needs no token. */
export const ALL_RIGHTS: Claims = {
  subject: undefined,
  volumes: "all",
  can: new Set(VERBS),
  issuedAtMs: undefined,
  notBeforeMs: undefined,
  expiresAtMs: undefined,
};

/** How far the clocks of a token's maker and of the server may differ. */
const CLOCK_SKEW_MS = 60_000;

/**
 * Reads the claims of a verified payload.
 *
 * @throws {GraftError} `unauthorized` when a claim has the wrong shape: a token that was meant to be
 * restricted must not turn into one that is not.
 */
export function parseClaims(payload: unknown): Claims {
  if (typeof payload !== "object" || payload === null) throw malformed("its payload is no object");
  const claims = payload as Record<string, unknown>;
  return {
    subject: claims.sub === undefined ? undefined : parseSubject(claims.sub),
    volumes: parseVolumes(claims.volumes),
    can: parseVerbs(claims.can),
    issuedAtMs: parseTime("iat", claims.iat),
    notBeforeMs: parseTime("nbf", claims.nbf),
    expiresAtMs: parseTime("exp", claims.exp),
  };
}

/**
 * Checks that a token is valid at a moment.
 *
 * @param nowMs Milliseconds since 1970.
 * @throws {GraftError} `unauthorized` before its time (by more than a minute) or after it.
 */
export function requireTime(claims: Claims, nowMs: number): void {
  if (claims.expiresAtMs !== undefined && claims.expiresAtMs <= nowMs) {
    throw new GraftError(
      "unauthorized",
      `Cannot accept the token: it expired at ${new Date(claims.expiresAtMs).toISOString()}`,
    );
  }
  const startMs = Math.max(claims.issuedAtMs ?? 0, claims.notBeforeMs ?? 0);
  if (startMs > nowMs + CLOCK_SKEW_MS) {
    throw new GraftError(
      "unauthorized",
      `Cannot accept the token: it is not valid before ${new Date(startMs).toISOString()}`,
      { hint: "Compare the clocks of the server and of the token's maker" },
    );
  }
}

/**
 * The payload of a token with these claims; what restricts nothing is left out.
 *
 * @returns A JSON object.
 */
export function claimsToPayload(claims: Claims): Record<string, unknown> {
  const { volumes, can } = claims;
  const time = (ms: number | undefined) =>
    ms === undefined ? undefined : new Date(ms).toISOString();
  const payload = {
    sub: claims.subject,
    volumes: volumes === "all" ? undefined : [...volumes],
    can: can.size === VERBS.length ? undefined : [...can],
    iat: time(claims.issuedAtMs),
    nbf: time(claims.notBeforeMs),
    exp: time(claims.expiresAtMs),
  };
  return Object.fromEntries(Object.entries(payload).filter(([, value]) => value !== undefined));
}

/** Tells whether the claims allow `verb` on a volume, or, with `"all"`, on every volume there may be. */
export function allows(claims: Claims, verb: Verb, vid: VolumeId | "all"): boolean {
  if (!claims.can.has(verb)) return false;
  return claims.volumes === "all" || (vid !== "all" && claims.volumes.has(vid));
}

/**
 * Checks that the claims allow something.
 *
 * @throws {GraftError} `forbidden` that names the verb and the volume.
 */
export function requireRight(claims: Claims, verb: Verb, vid: VolumeId | "all"): void {
  if (allows(claims, verb, vid)) return;
  const object = vid === "all" ? "all volumes" : `volume "${vid}"`;
  const state = claims.can.has(verb) ? "it is for other volumes" : `it does not allow to ${verb}`;
  throw new GraftError("forbidden", `Cannot ${verb} ${object} with this token: ${state}`);
}

function parseSubject(value: unknown): string {
  if (typeof value === "string") return value;
  throw malformed('its claim "sub" is no string');
}

function parseVolumes(value: unknown): Claims["volumes"] {
  if (value === undefined || value === "all") return "all";
  if (!Array.isArray(value)) throw malformed('its claim "volumes" is neither "all" nor a list');
  try {
    return new Set(value.map((vid) => parseGid("volume", String(vid))));
  } catch (error) {
    throw malformed('its claim "volumes" lists something that is no volume id', error);
  }
}

function parseVerbs(value: unknown): ReadonlySet<Verb> {
  if (value === undefined) return ALL_RIGHTS.can;
  const known = new Set<unknown>(VERBS);
  if (Array.isArray(value) && value.every((verb) => known.has(verb))) return new Set(value);
  throw malformed(`its claim "can" is no list of ${VERBS.join(", ")}`);
}

function parseTime(name: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const timestampMs = typeof value === "string" ? Date.parse(value) : NaN;
  if (Number.isNaN(timestampMs)) throw malformed(`its claim "${name}" is no RFC 3339 time`);
  return timestampMs;
}

function malformed(state: string, cause?: unknown): GraftError {
  return new GraftError("unauthorized", `Cannot accept the token: it is malformed, ${state}`, {
    cause,
  });
}
