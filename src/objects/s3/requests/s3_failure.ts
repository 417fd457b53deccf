/**
 * What can go wrong with a request to S3.
 *
 * @module
 */

import { S3Errors } from "@bradenmacdonald/s3-lite-client";

/** What is known of a failure. */
export interface S3FailureFacts {
  /** The HTTP status; 0 when there was no answer, or an answer that cannot be trusted. */
  readonly status: number;
  /** S3's code, such as `NoSuchKey`; one of ours when there was no answer; empty when none was given. */
  readonly code: string;
  /** S3's message, or ours. */
  readonly message: string;
  /** The region in which the bucket is, where the store tells it. */
  readonly region?: string;
  /** The store's time, where it tells it. */
  readonly dateMs?: number;
  /** How long the store asks to wait. */
  readonly askedPauseMs?: number;
  /** The lower error. */
  readonly cause?: unknown;
}

/**
 * What has a 4xx status although the request is not to blame: two conditional puts at once (neither a yes
 * nor a no), and a body that came too slowly.
 */
const NO_FAULT = new Set(["ConditionalRequestConflict", "OperationAborted", "RequestTimeout"]);
/** What the library calls an error that says nothing it understands. */
const UNTOLD = new Set(["UnrecognizedError", "UnknownErrorCode"]);
/** What stands behind an address's question mark: it may be a signature, which no log needs. */
const QUERY = /\?[^\s)]*/g;
/** Bytes of an error's text that are read. */
const ERROR_BYTES_MAX = 64 * 1024;

/** A request to S3 that failed. It stays inside the store, which makes GraftErrors of it. */
export class S3Failure extends Error {
  /** The name that stack traces and logs show. */
  override readonly name = "S3Failure";
  /** What is known. */
  readonly facts: S3FailureFacts;
  /** Whether an attempt of the request may have been carried out all the same. */
  mayHaveLanded = false;

  /** A failure. */
  constructor(facts: S3FailureFacts) {
    super(facts.message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.facts = facts;
  }

  /** Whether the same request may succeed a moment later. */
  get isTransient(): boolean {
    const { status, code } = this.facts;
    return this.isUnknown || status === 429 || NO_FAULT.has(code);
  }

  /** Whether nobody can tell if this attempt was carried out: no answer, or a 5xx. */
  get isUnknown(): boolean {
    const { status } = this.facts;
    return status === 0 || (status >= 500 && status !== 501);
  }
}

/** There was no answer, or not all of it. */
export function brokenConnection(cause: unknown): S3Failure {
  // fetch says why only in the error below its own
  const reason = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
  const told = new Error(String(reason).replaceAll(QUERY, ""));
  return new S3Failure({
    status: 0,
    code: "",
    message: "the store cannot be reached",
    cause: told,
  });
}

/** The answer took too long. */
export function lateAnswer(): S3Failure {
  return new S3Failure({ status: 0, code: "", message: "the store did not answer in time" });
}

/** So many requests were under way all the time that this one was not sent. */
export function crowdedOut(): S3Failure {
  const message = "the store did not answer the requests before it in time";
  return new S3Failure({ status: 0, code: "", message });
}

/** The answer is not what was asked for: shorter, longer, or no sense at all. */
export function brokenAnswer(state: string): S3Failure {
  return new S3Failure({ status: 0, code: "", message: `the store's answer is broken (${state})` });
}

/** The failure that an answer tells of; reads the answer's body. */
export async function failureOf(response: Response, nowMs: number): Promise<S3Failure> {
  const { status, headers } = response;
  const error = await S3Errors.parseServerError(await bounded(response));
  const isTold = !UNTOLD.has(error.code);
  const code = isTold ? error.code : headers.get("x-minio-error-code") ?? "";
  return new S3Failure({
    status,
    code,
    message: isTold ? error.message : "",
    region: error.region ?? headers.get("x-amz-bucket-region") ?? undefined,
    dateMs: moment(headers.get("date")),
    askedPauseMs: askedPause(headers.get("retry-after"), nowMs),
  });
}

/** The same answer with no more of its body than an error takes. */
async function bounded(response: Response): Promise<Response> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > ERROR_BYTES_MAX) break;
  }
  return new Response(new Blob(chunks).slice(0, ERROR_BYTES_MAX), { status: response.status });
}

/** Seconds or a date. */
function askedPause(text: string | null, nowMs: number): number | undefined {
  if (text !== null && /^\d+$/.test(text)) return Number(text) * 1000;
  const dateMs = moment(text);
  return dateMs === undefined ? undefined : Math.max(dateMs - nowMs, 0);
}

function moment(text: string | null): number | undefined {
  const ms = Date.parse(text ?? "");
  return Number.isNaN(ms) ? undefined : ms;
}
