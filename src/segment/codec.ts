/**
 * The seam to whatever compresses frames.
 *
 * @module
 */

/**
 * Compresses and decompresses frames of pages with plain zstd. Calls are synchronous: a frame is at most
 * 64 KiB. Every codec reads what any other wrote.
 */
export interface FrameCodec {
  /**
   * Compresses pages into one zstd frame that states its content size.
   *
   * @param raw From 1 to 65,536 bytes.
   * @returns A view that is valid until the codec's next call.
   */
  compress(raw: Uint8Array): Uint8Array;
  /**
   * Decompresses bytes that anyone may have written. No memory beyond `rawLength` is taken, whatever
   * size they state.
   *
   * @param stored A zstd frame.
   * @param rawLength The length it must have decompressed, from 1 to 65,536.
   * @returns Exactly `rawLength` bytes, which belong to the caller.
   * @throws {GraftError} `damaged` when they do not decompress to that length.
   */
  decompress(stored: Uint8Array, rawLength: number): Uint8Array<ArrayBuffer>;
}
