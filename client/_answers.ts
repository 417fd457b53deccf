// How the answers of the v0.1 protocol look.

import { type GraftErrorCode, isGraftError } from "../src/core/errors.ts";
import { decodeGraftErr } from "../src/wire/messages.ts";
import { fromWireError, MEDIA_TYPE } from "../src/wire/protocol.ts";
import { isMediaType } from "../src/wire/v1/media_types.ts";

/** What an answer that is an error says. */
export interface Refusal {
  readonly code: GraftErrorCode;
  /** The message, or the state at its end; undefined when the answer has none. */
  readonly state: string | undefined;
  readonly hint: string | undefined;
}

/** How a protocol answers. */
export interface AnswerForm {
  /** The content type of what succeeded. */
  readonly mediaType: string;
  /**
   * Reads an answer that is an error, of any server.
   *
   * @param action What was tried, for an error that it throws itself.
   */
  readRefusal(response: Response, answer: Uint8Array, action: string): Refusal;
}

export const NOT_GRAFT_HINT = "Check the URL: what answers there does not speak the Graft protocol";

/** For a server that has never answered: a browser tells no more of one that refuses the page. */
export const SILENT_HINT = "Check the URL, and whether a server is running there; " +
  "web pages of another origin need its --cors";

const HINTS: Partial<Record<GraftErrorCode, string>> = {
  conflict: "Pull, then redo the work on the new snapshot",
  unauthorized: "Give the client a valid token",
  forbidden: "Ask for a token that allows this volume and this verb",
};

/** How to recover from an error for which the server names no way. */
export function hintFor(code: GraftErrorCode): string | undefined {
  return HINTS[code];
}

/** Messages of the protocol. */
export const PROTOBUF_ANSWERS: AnswerForm = {
  mediaType: MEDIA_TYPE,
  readRefusal(response, answer) {
    const isProtobuf = isMediaType(response.headers.get("content-type"), MEDIA_TYPE);
    const told = isProtobuf ? readGraftErr(answer) : undefined;
    const code = fromWireError(response.status, told?.code);
    return { code, state: told?.message || undefined, hint: protobufHint(code, told?.message) };
  },
};

/** How to recover from what the server said; undefined when it said that itself. */
function protobufHint(code: GraftErrorCode, told: string | undefined): string | undefined {
  if (told === undefined && code === "invalid") return NOT_GRAFT_HINT;
  // our server puts its hint in brackets behind the message, the original gives none
  return told?.endsWith(")") ? undefined : hintFor(code);
}

function readGraftErr(answer: Uint8Array): { code: number; message: string } | undefined {
  try {
    return decodeGraftErr(answer);
  } catch (error) {
    if (isGraftError(error, "invalid")) return undefined;
    throw error;
  }
}
