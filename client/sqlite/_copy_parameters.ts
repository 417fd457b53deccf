// Parameters as they were when a call was made: it may run later, and again.

import type { SqlParameters } from "./engine/statement.ts";
import type { SqlParameter } from "./engine/values.ts";

const NONE: SqlParameters = [];

/** A copy, bytes too. */
export function copyParameters(parameters: SqlParameters): SqlParameters {
  if (Array.isArray(parameters)) {
    return parameters.length === 0 ? NONE : parameters.map(copyValue);
  }
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [name, copyValue(value)]),
  );
}

function copyValue(value: SqlParameter): SqlParameter {
  return value instanceof Uint8Array ? value.slice() : value;
}
