// How the answers of the v1 interface look.

import { GraftError, isGraftError } from "../src/core/errors.ts";
import type { VolumeId } from "../src/core/gid.ts";
import type { Lsn } from "../src/core/lsn.ts";
import type { PageSet } from "../src/core/page_set.ts";
import type { Snapshot } from "../src/core/snapshot.ts";
import { fromWireError } from "../src/wire/protocol.ts";
import { type Decompress, PageStreamDecoder } from "../src/wire/v1/page_stream_decoder.ts";
import { snapshotFromJson } from "../src/wire/v1/snapshot_json.ts";
import { type AnswerForm, hintFor } from "./_answers.ts";
import { hasProblem, type Problem, readProblem } from "./_problem.ts";
import { PagesRead } from "./pages_read.ts";
import { NoV1Error } from "./replica/remote/v1_transport.ts";

/**
 * Answers of a content type, and problem details. A path that is not there at all is a `NoV1Error`: our
 * servers know every path of v1, and answer what is missing behind it with a problem.
 */
export function v1Answers(mediaType: string): AnswerForm {
  return {
    mediaType,
    readRefusal(response, answer, action) {
      const { status } = response;
      const problem = hasProblem(response) ? readProblemSafely(answer) : undefined;
      if (problem !== undefined) {
        const { code, detail, hint } = problem;
        return { code, state: detail, hint: hint ?? hintFor(code) };
      }
      if (status === 404 || status === 405) {
        throw new NoV1Error(action, `the server answered ${status}`);
      }
      const code = fromWireError(status, undefined);
      return { code, state: undefined, hint: hintFor(code) };
    },
  };
}

function readProblemSafely(answer: Uint8Array): Problem | undefined {
  try {
    return readProblem(answer);
  } catch {
    return undefined;
  }
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
