// How every decoder of this folder says no: `Cannot read <message>: field "<path>" <state>`.

import type { WireType } from "@bufbuild/protobuf/wire";
import { GraftError, isGraftError } from "../core/errors.ts";

const WIRE_TYPE_NAMES = ["varint", "64-bit", "bytes", "group", "end of group", "32-bit"];

/** A message that cannot be read; `subject` is what it is: "the commit request". */
export function unreadable(subject: string, state: string, cause?: unknown): GraftError {
  return new GraftError("invalid", `Cannot read ${subject}: ${state}`, { cause });
}

/** A message that cannot be read for one of its fields; `state` reads on after the field's name. */
export function refuseField(
  subject: string,
  path: string,
  state: string,
  cause?: unknown,
): GraftError {
  return unreadable(subject, `field "${path}" ${state}`, cause);
}

/** A known field with another wire type than the schema's. */
export function refuseWireType(
  subject: string,
  path: string,
  found: WireType,
  wanted: WireType,
): GraftError {
  const state = `has wire type ${WIRE_TYPE_NAMES[found]} instead of ${WIRE_TYPE_NAMES[wanted]}`;
  return refuseField(subject, path, state);
}

/** Runs a conversion of core's; if it refuses, the error names the field and says what it is not. */
export function convertField<T>(
  subject: string,
  path: string,
  what: string,
  convert: () => T,
): T {
  try {
    return convert();
  } catch (error) {
    if (!isGraftError(error, "invalid")) throw error;
    // messages read `Cannot <verb> <object>: <state>`, and here only the state is news
    const state = error.message.slice(error.message.indexOf(": ") + 2);
    throw refuseField(subject, path, `is not a ${what}: ${state}`, error);
  }
}
