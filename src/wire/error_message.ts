/**
 * The body of every answer that is an error.
 *
 * @module
 */

import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { MessageReader } from "./_message_reader.ts";
import { writeUint } from "./_parts.ts";

/** The body of every answer that is an error. */
export interface GraftErr {
  /** A number of `GRAFT_ERR_CODES`, or one that this version does not know. */
  readonly code: number;
  /** What went wrong, for people. */
  readonly message: string;
}

/** Encodes the body of an error. */
export function encodeGraftErr(error: GraftErr): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter();
  writeUint(writer, 1, error.code);
  if (error.message !== "") writer.tag(2, WireType.LengthDelimited).string(error.message);
  return writer.finish();
}

/**
 * Decodes the body of an error.
 *
 * @throws {GraftError} `invalid`.
 */
export function decodeGraftErr(bytes: Uint8Array): GraftErr {
  const message = new MessageReader(bytes, "the error response");
  let code = 0;
  let text = "";
  while (message.next()) {
    if (message.field === 1) code = message.uint("code");
    else if (message.field === 2) text = message.text("message");
    else message.skip();
  }
  return { code, message: text };
}
