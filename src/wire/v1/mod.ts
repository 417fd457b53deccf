/**
 * The v1 interface on the wire: page streams, commits, and the JSON of snapshots, changes and events.
 *
 * docs/http.md describes the calls, docs/formats/page_stream.md the bytes.
 *
 * ## Limitations
 *
 * - The checksums find accidents on the way; they do not stop someone who can change an answer.
 * - A decoder hands pages over as views that are valid during the call.
 *
 * @module
 */

export * from "./changes_json.ts";
export * from "./media_types.ts";
export * from "./page_ranges.ts";
export * from "./page_stream_decoder.ts";
export { type Compress, type HashedPageList, PageStreamEncoder } from "./page_stream_encoder.ts";
export type { FrameCodecName, PageFrame } from "./page_stream_format.ts";
export {
  type CommitHeader,
  encodeCommitHeader,
  encodeStreamHeader,
  REQUEST_ID_BYTES,
  type StreamHeader,
} from "./page_stream_header.ts";
export {
  type ChainedSnapshot,
  snapshotFromJson,
  type SnapshotJson,
  snapshotToJson,
} from "./snapshot_json.ts";
export * from "./volume_event.ts";
