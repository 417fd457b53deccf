/**
 * Encoding in the calling thread.
 *
 * @module
 */

import type { SegmentId } from "../../core/gid.ts";
import type { FrameCodec } from "../codec.ts";
import { encodeSegment } from "./encode_segment.ts";
import type { EncodedSegment, EncodeOptions, SegmentEncoder, VolumePages } from "../segment.ts";

/** An encoder that blocks its thread: for tests, tools and small segments. */
export class InlineEncoder implements SegmentEncoder {
  readonly #codec: FrameCodec;

  /** `codec` compresses the frames. */
  constructor(codec: FrameCodec) {
    this.#codec = codec;
  }

  /** Encodes before it returns. A broken limit rejects with an assertion. */
  // deno-lint-ignore require-await -- what encodeSegment throws must become a rejection
  async encode(
    sid: SegmentId,
    volumes: readonly VolumePages[],
    options?: EncodeOptions,
  ): Promise<EncodedSegment> {
    return encodeSegment(sid, volumes, this.#codec, options);
  }

  /** Does nothing: there are no workers. */
  close(): void {}
}
