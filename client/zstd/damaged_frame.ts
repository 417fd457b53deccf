/**
 * What is said of frames that do not decompress.
 *
 * @module
 */

import { GraftError } from "../../src/core/errors.ts";

/** The error for a frame that is not as the format has it: `damaged`. */
export function damagedFrame(state: string): GraftError {
  return new GraftError("damaged", `Cannot decompress the frame: ${state}`);
}
