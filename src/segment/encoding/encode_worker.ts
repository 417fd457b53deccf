/**
 * The module that an encoding worker runs.
 *
 * @module
 */

import { serveJobs, type WorkerScope } from "./_encode_jobs.ts";
import { NativeCodec } from "../codecs/native_codec.ts";

/**
 * Makes the calling worker answer a `WorkerEncoder`. A program in one file starts its workers from
 * that file, and they call this instead of what it does otherwise.
 */
export function serveEncoding(): void {
  // in a worker the global scope is one; the types of windows and workers cannot be loaded together
  serveJobs(globalThis as unknown as WorkerScope, new NativeCodec());
}
