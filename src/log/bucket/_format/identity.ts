// Which data a log in a bucket belongs to: `log.json`, {"format":1,"store":"<32 hexadecimal digits>"}.

import { GraftError } from "../../../core/errors.ts";
import type { Random } from "../../../core/random.ts";
import type { BucketCalls } from "../_bucket_calls.ts";
import { IDENTITY_KEY, RECORDS_PREFIX } from "./keys.ts";

/** The layout of names and values that this program reads and writes. */
const FORMAT = 1;
const ID_BYTES = 16;
const ID = /^[0-9a-f]{32}$/;

/**
 * The id of the store that the log belongs to, drawn when the log is new.
 *
 * @throws {GraftError} `invalid` for another format, or for records without an identity; `damaged` for
 * an identity that cannot be read.
 */
export async function openIdentity(calls: BucketCalls, random: Random): Promise<string> {
  const found = await readIdentity(calls);
  if (found !== undefined) return found;
  if ((await calls.keys(RECORDS_PREFIX, { limit: 1 })).length > 0) {
    // another process that found it empty too may have made it a log since, and written to it
    return await readIdentity(calls) ?? lost(calls);
  }
  const id = random.fill(new Uint8Array(ID_BYTES)).toHex();
  const text = JSON.stringify({ format: FORMAT, store: id });
  if (await calls.putIfAbsent(IDENTITY_KEY, new TextEncoder().encode(`${text}\n`))) return id;
  // another process was first
  return await readIdentity(calls) ?? gone(calls);
}

async function readIdentity(calls: BucketCalls): Promise<string | undefined> {
  const bytes = await calls.get(IDENTITY_KEY);
  if (bytes === undefined) return undefined;
  const { format, store } = parse(calls, bytes);
  if (typeof format === "number" && format !== FORMAT) {
    throw new GraftError(
      "invalid",
      `Cannot open log "${calls.name}": it has format ${format}, and this program reads format ${FORMAT}`,
      { hint: "Use the version of Graft that wrote it, or a newer one" },
    );
  }
  if (format !== FORMAT || typeof store !== "string" || !ID.test(store)) throw unreadable(calls);
  return store;
}

function parse(calls: BucketCalls, bytes: Uint8Array): Partial<Record<string, unknown>> {
  try {
    const value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof value === "object" && value !== null) return value;
  } catch (error) {
    throw unreadable(calls, error);
  }
  throw unreadable(calls);
}

function unreadable(calls: BucketCalls, cause?: unknown): GraftError {
  return new GraftError(
    "damaged",
    `Cannot open log "${calls.name}": its "${IDENTITY_KEY}" is not one`,
    { cause, hint: "Restore it from a backup" },
  );
}

function lost(calls: BucketCalls): never {
  throw new GraftError(
    "invalid",
    `Cannot open log "${calls.name}": it holds records, but no "${IDENTITY_KEY}"`,
    { hint: `Restore "${IDENTITY_KEY}" from a backup, or name an empty place for the log` },
  );
}

function gone(calls: BucketCalls): never {
  throw new GraftError("unavailable", `Cannot open log "${calls.name}": its id is gone again`);
}
