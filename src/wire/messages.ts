/**
 * The protobuf messages of the v0.1 protocol.
 *
 * Every decoder takes a whole body, skips fields that it does not know, and throws GraftError `invalid`
 * with the field's name for everything else that the protocol does not allow. docs/graft.proto is the
 * schema; where a field that occurs once there occurs twice, the last one counts. Byte views are copied
 * where they are kept, except pages.
 *
 * @module
 */

export * from "./commit_messages.ts";
export * from "./error_message.ts";
export * from "./page_messages.ts";
export * from "./snapshot_messages.ts";
