// What a server says of itself when it refuses a request of v1.

import type { GraftErrorCode } from "../src/core/errors.ts";
import { isMediaType } from "../src/wire/v1/media_types.ts";

/** Problem details. */
export interface Problem {
  readonly code: GraftErrorCode;
  readonly detail: string;
  readonly hint: string | undefined;
}

/** What a server may say of itself; `aborted` is only ever the caller's. */
const CODES: readonly unknown[] = [
  "invalid",
  "missing",
  "conflict",
  "unauthorized",
  "forbidden",
  "unavailable",
  "damaged",
  "internal",
] satisfies GraftErrorCode[];

/** Whether an answer is to have problem details. */
export function hasProblem({ headers }: Response): boolean {
  return isMediaType(headers.get("content-type"), "application/problem+json");
}

/**
 * Reads problem details.
 *
 * @returns Undefined for those of somebody else.
 * @throws {SyntaxError} For what is no JSON.
 */
export function readProblem(body: Uint8Array): Problem | undefined {
  const value = JSON.parse(new TextDecoder().decode(body));
  const { code, detail, hint } = Object(value) as Record<string, unknown>;
  if (!CODES.includes(code) || typeof detail !== "string") return undefined;
  return {
    code: code as GraftErrorCode,
    detail,
    hint: typeof hint === "string" ? hint : undefined,
  };
}
