/**
 * Who the program is for S3, and where S3 is.
 *
 * @module
 */

import { GraftError } from "../../core/errors.ts";

/** What is needed to speak to S3. */
export interface S3Settings {
  /** The public half of the key. */
  readonly accessKeyId: string;
  /** The secret half. It never reaches a message. */
  readonly secretAccessKey: string;
  /** The token that belongs to keys that expire. */
  readonly sessionToken?: string;
  /** The region that requests are signed for: `eu-central-1`. */
  readonly region: string;
  /** The address of a store that is not AWS, without a slash at the end: `http://127.0.0.1:9000`. */
  readonly endpoint?: string;
}

/** The variables of a process. */
export interface Variables {
  /** The value of a variable. */
  get(name: string): string | undefined;
}

/** What goes into a header or a host name as it is. */
const PLAIN = /^[\x21-\x7e]+$/;
const REGION = /^[A-Za-z0-9-]+$/;

/**
 * Reads the settings from `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION`
 * (or `AWS_DEFAULT_REGION`) and `AWS_ENDPOINT_URL_S3` (or `AWS_ENDPOINT_URL`). An empty variable counts
 * as one that is not set.
 *
 * @throws {GraftError} `invalid` when a variable is missing or makes no sense.
 *
 * @example
 * ```ts
 * import { s3SettingsFrom } from "./s3_settings.ts";
 *
 * const settings = s3SettingsFrom(
 *   new Map([
 *     ["AWS_ACCESS_KEY_ID", "minio"],
 *     ["AWS_SECRET_ACCESS_KEY", "minio-secret"],
 *     ["AWS_REGION", "us-east-1"],
 *     ["AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9000/"],
 *   ]),
 * );
 * console.log(settings.endpoint); // "http://127.0.0.1:9000"
 * ```
 */
export function s3SettingsFrom(env: Variables): S3Settings {
  const accessKeyId = plainValue(env, "AWS_ACCESS_KEY_ID");
  const secretAccessKey = plainValue(env, "AWS_SECRET_ACCESS_KEY");
  const sessionToken = firstOf(env, "AWS_SESSION_TOKEN");
  if (sessionToken !== undefined) checkPlain("AWS_SESSION_TOKEN", sessionToken);
  const region = firstOf(env, "AWS_REGION", "AWS_DEFAULT_REGION");
  if (region === undefined) {
    throw refused(
      "AWS_REGION",
      "it is not set",
      "Set it to the bucket's region; us-east-1 for MinIO",
    );
  }
  if (!REGION.test(region)) {
    throw refused("AWS_REGION", `"${region}" is no region`, "A region reads like eu-central-1");
  }
  const endpoint = endpointFrom(env);
  return {
    accessKeyId,
    secretAccessKey,
    region,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    ...(endpoint === undefined ? {} : { endpoint }),
  };
}

function endpointFrom(env: Variables): string | undefined {
  const text = firstOf(env, "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL");
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  const isPlain = url !== null && /^https?:$/.test(url.protocol) &&
    [url.username, url.password, url.search, url.hash].every((part) => part === "");
  if (isPlain) return url.href.replace(/\/+$/, "");
  throw refused(
    "AWS_ENDPOINT_URL_S3",
    "it is no address of a server",
    "Write http://host:port or https://host, without a user, a query or a fragment",
  );
}

function plainValue(env: Variables, name: string): string {
  const value = firstOf(env, name);
  if (value === undefined) {
    throw refused(name, "it is not set", "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
  }
  checkPlain(name, value);
  return value;
}

function checkPlain(name: string, value: string): void {
  if (PLAIN.test(value)) return;
  throw refused(name, "it holds a space or another character that no key has", `Set ${name} anew`);
}

function firstOf(env: Variables, ...names: readonly string[]): string | undefined {
  return names.map((name) => env.get(name)).find((value) => value !== undefined && value !== "");
}

function refused(name: string, state: string, hint: string): GraftError {
  return new GraftError("invalid", `Cannot read ${name} for S3: ${state}`, { hint });
}
