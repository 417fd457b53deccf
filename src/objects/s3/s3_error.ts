/**
 * What failures of S3 mean to the callers of the store.
 *
 * @module
 */

import { GraftError, type GraftErrorCode } from "../../core/errors.ts";
import { foreignWords } from "../store_failure.ts";
import type { S3Address } from "./s3_address.ts";
import type { S3Failure, S3FailureFacts } from "./requests/s3_failure.ts";
import type { S3Settings } from "./s3_settings.ts";

interface Meaning {
  readonly state: string;
  readonly hint?: string;
  readonly code?: GraftErrorCode;
}

/** What an explanation rests on. */
export interface FailureContext {
  /** What was done, as a message goes on after "Cannot". */
  readonly what: string;
  /** Where. */
  readonly address: S3Address;
  /** With which settings. */
  readonly settings: S3Settings;
  /** This machine's time. */
  readonly nowMs: number;
}

type Explain = (facts: S3FailureFacts, context: FailureContext) => Meaning;

const OUT_OF_REACH_HINT = "Check the network and AWS_ENDPOINT_URL_S3, or try again later";
const KEYS_HINT = "Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN";

const missingBucket: Explain = (_facts, { address }) => ({
  state: `there is no bucket "${address.bucket}"`,
  hint: "Make the bucket, or name another one; check AWS_REGION and AWS_ENDPOINT_URL_S3",
});

const unknownKey: Explain = (_facts, { settings }) => ({
  state: `the store does not know the access key "${settings.accessKeyId}"`,
  hint: KEYS_HINT,
});

const wrongSecret: Explain = (_facts, { settings }) => ({
  state: `the secret does not belong to the access key "${settings.accessKeyId}"`,
  hint: KEYS_HINT,
});

const expiredToken: Explain = () => ({
  state: "the session token is not valid, or no longer",
  hint: KEYS_HINT,
});

/** What S3 says of a signed address whose time is not now, under the code of any refusal. */
const OTHER_TIME = /has expired|not yet valid|not valid yet/i;

const denied: Explain = (facts, context) =>
  OTHER_TIME.test(facts.message) ? skewedClock(facts, context) : notAllowed(facts, context);

const notAllowed: Explain = (_facts, { settings }) => ({
  state: `the access key "${settings.accessKeyId}" is not allowed to`,
  hint:
    "Allow it s3:ListBucket on the bucket, and s3:GetObject, s3:PutObject and s3:DeleteObject on its objects",
});

const wrongRegion: Explain = ({ region }, { settings }) => ({
  state: region === undefined
    ? `the bucket is not in the region "${settings.region}"`
    : `the bucket is in the region "${region}", not in "${settings.region}"`,
  hint: region === undefined ? "Set AWS_REGION to the bucket's region" : `Set AWS_REGION=${region}`,
});

const skewedClock: Explain = ({ dateMs }, { nowMs }) => ({
  state: dateMs === undefined
    ? "this machine's clock is more than 15 minutes wrong"
    : `this machine's clock says ${timeOf(nowMs)}, and the store's ${timeOf(dateMs)}`,
  hint: "Set this machine's clock",
});

/** What S3 calls the mistakes that no repetition mends. */
const EXPLANATIONS: Readonly<Record<string, Explain>> = {
  NoSuchBucket: missingBucket,
  InvalidAccessKeyId: unknownKey,
  XAdminUserNotFound: unknownKey,
  SignatureDoesNotMatch: wrongSecret,
  ExpiredToken: expiredToken,
  InvalidToken: expiredToken,
  InvalidTokenId: expiredToken,
  AccessDenied: denied,
  AllAccessDisabled: denied,
  AccountProblem: denied,
  PermanentRedirect: wrongRegion,
  TemporaryRedirect: wrongRegion,
  Redirect: wrongRegion,
  AuthorizationHeaderMalformed: wrongRegion,
  RequestTimeTooSkewed: skewedClock,
};

/** The same for answers without a body, which have a status alone. */
const BY_STATUS: Readonly<Record<number, Explain>> = {
  301: wrongRegion,
  307: wrongRegion,
  403: denied,
};

/**
 * The GraftError of a failure. `unavailable`: a store that does not answer now, and settings that somebody
 * has to put right; a client's request is not to blame for either. `internal`: a request that the store
 * does not understand.
 */
export function explainFailure(failure: S3Failure, context: FailureContext): GraftError {
  const { facts } = failure;
  const explain = EXPLANATIONS[facts.code] ?? BY_STATUS[facts.status] ?? otherwise(failure);
  const { state, hint, code = "unavailable" } = explain(facts, context);
  return new GraftError(code, `Cannot ${context.what}: ${state}`, { cause: failure, hint });
}

function otherwise({ isTransient }: S3Failure): Explain {
  return ({ status, code, message }) => {
    if (status === 0) return { state: message, hint: OUT_OF_REACH_HINT };
    const answer = ["the store answered", status, code].join(" ").trimEnd();
    if (isTransient) return { state: answer };
    return {
      state: message === "" ? answer : `${answer} (${foreignWords(message.replace(/\.$/, ""))})`,
      code: "internal",
    };
  };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+/, "");
}
