// How the answers of the v1 interface look.

import { GraftError, type GraftErrorCode, isGraftError } from "../src/core/errors.ts";
import type { VolumeId } from "../src/core/gid.ts";
import type { Lsn } from "../src/core/lsn.ts";
import type { PageSet } from "../src/core/page_set.ts";
import type { Snapshot } from "../src/core/snapshot.ts";
import { fromWireError } from "../src/wire/protocol.ts";
import { isMediaType } from "../src/wire/v1/media_types.ts";
import { type Decompress, PageStreamDecoder } from "../src/wire/v1/page_stream_decoder.ts";
import { snapshotFromJson } from "../src/wire/v1/snapshot_json.ts";
import { type AnswerForm, hintFor } from "./_answers.ts";
import { PagesRead } from "./pages_read.ts";
import { NoV1Error } from "./replica/v1_transport.ts";

const PROBLEM_MEDIA_TYPE = "application/problem+json";
/** What a server may say of itself; `aborted` is only ever the caller's. */
const CODES: readonly GraftErrorCode[] = [
  "invalid",
  "missing",
  "conflict",
  "unauthorized",
  "forbidden",
  "unavailable",
  "damaged",
  "internal",
];

/**
 * Answers of a content type, and problem details. A path that is not there at all is a `NoV1Error`: our
 * servers know every path of v1, and answer what is missing behind it with a problem.
 */
export function v1Answers(mediaType: string): AnswerForm {
  return {
    mediaType,
    readRefusal(response, answer, action) {
      const { status, headers } = response;
      const isProblem = isMediaType(headers.get("content-type"), PROBLEM_MEDIA_TYPE);
      const problem = isProblem ? readProblem(answer) : undefined;
      if (problem !== undefined) return problem;
      if (status === 404 || status === 405) {
        throw new NoV1Error(action, `the server answered ${status}`);
      }
      const code = fromWireError(status, undefined);
      return { code, state: undefined, hint: hintFor(code) };
    },
  };
}

function readProblem(answer: Uint8Array) {
  const problem = parseJson(answer, () => undefined);
  const { code: told, detail, hint } = Object(problem) as Record<string, unknown>;
  const code = CODES.find((known) => known === told);
  if (code === undefined || typeof detail !== "string") return undefined;
  return { code, state: detail, hint: typeof hint === "string" ? hint : hintFor(code) };
}

/** The snapshot in an answer: without the digest, which v0.1 does not tell. */
export function readSnapshot(answer: Uint8Array): Snapshot {
  const value = parseJson(answer, (cause) => {
    throw new GraftError("invalid", "Cannot read the snapshot: it is not JSON", { cause });
  });
  const { digest: _, ...snapshot } = snapshotFromJson(value);
  return snapshot;
}

function parseJson(bytes: Uint8Array, onError: (error: unknown) => undefined): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    return onError(error);
  }
}

/** What pages an answer must be of. */
export interface WantedStream {
  readonly vid: VolumeId;
  /** Undefined: whatever the newest LSN was. */
  readonly lsn: Lsn | undefined;
  readonly pageSet: PageSet;
}

/**
 * The pages of an answer, each checked against its hash; those that came along unasked are left out.
 *
 * @throws {GraftError} `damaged` for anything else than a whole stream of these pages.
 */
export function readPageStream(
  answer: Uint8Array,
  wanted: WantedStream,
  decompress: Decompress | undefined,
): PagesRead {
  const pages: [number, Uint8Array][] = [];
  const decoder = new PageStreamDecoder({
    take(pageIdx, page) {
      // a copy: the view is lent, and the hashes of the answer are of no more use
      if (wanted.pageSet.has(pageIdx)) pages.push([pageIdx, page.slice()]);
    },
    decompress,
  });
  try {
    decoder.push(answer);
    decoder.finish();
    const { vid, lsn } = wanted;
    const { header } = decoder;
    if (header?.vid !== vid || (lsn !== undefined && header.lsn !== lsn)) {
      throw new GraftError("invalid", "Cannot read the page stream: it is of another snapshot");
    }
    return new PagesRead(vid, header.lsn, pages);
  } catch (error) {
    if (!isGraftError(error, "invalid")) throw error;
    throw damaged(wanted, error);
  }
}

function damaged({ vid }: WantedStream, cause: unknown): GraftError {
  return new GraftError("damaged", `Cannot read pages of volume "${vid}": the answer is damaged`, {
    cause,
    hint: "The server, or what is in between, sent other bytes than it should have",
  });
}
