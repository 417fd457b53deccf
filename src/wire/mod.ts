/**
 * The Graft v0.1 protocol: its messages, the error codes, the paths and the media type.
 *
 * For whoever writes another client or another server; [the client](../../client/mod.ts) has all of it
 * built in. docs/graft.proto is the schema.
 *
 * ## Limitations
 *
 * - Only the messages of v0.1; [v1](./v1/mod.ts) has those of `/v1`.
 * - LSNs are numbers: what a peer sends above 2^53 - 1 becomes 2^53 - 1.
 * - Where a field that occurs once in the schema occurs twice in a body, the last one counts; protobuf
 *   would merge messages.
 *
 * @example
 * ```ts
 * import { parseGid } from "../core/gid.ts";
 * import { decodeSnapshotRequest, encodeSnapshotRequest } from "./mod.ts";
 *
 * const vid = parseGid("volume", "GonwTRj2SohJzYLLjD9nSq");
 * const body = encodeSnapshotRequest({ vid, lsn: undefined });
 * console.log(decodeSnapshotRequest(body).vid); // "GonwTRj2SohJzYLLjD9nSq"
 * ```
 *
 * @module
 */

export * from "./messages.ts";
export * from "./protocol.ts";
