/**
 * What ties an object store and a commit log together.
 *
 * A log on another store's objects would miss segments, and collect those that the other one needs:
 * so both hold one store id, and a server refuses a pair that does not match. In the object store it
 * is the object `graft.json`: `{"format":1,"store":"<id>"}`.
 *
 * @module
 */

import { GraftError, isGraftError } from "../core/errors.ts";
import type { ObjectStore } from "./object_store.ts";

/** The key of the object that holds the identity. */
export const IDENTITY_KEY = "graft.json";
/** The version of all formats below the object store's root. */
export const STORE_FORMAT = 1;
/** Where segments are: whether there are any tells an empty store from one whose identity was lost. */
const SEGMENT_PREFIX = "segments/";
const STORE_ID_LENGTH_MAX = 64;
const STORE_ID = /^[A-Za-z0-9_-]+$/;

/** The identity of a store. */
export interface StoreIdentity {
  /** The version of its formats. */
  readonly format: number;
  /** Its id: letters, digits, dashes and underscores, at most 64. */
  readonly store: string;
}

/** What a commit log tells about itself. */
export interface LogIdentity {
  /** What the log is, for messages. */
  readonly name: string;
  /** Its store id. */
  readonly storeId: string;
  /**
   * Whether it holds no volume and no segment. That it was made just now is not the question: a process
   * that was killed between making the log and writing the object store's identity is to start again.
   */
  readonly isNew: boolean;
}

/**
 * Reads the identity of an object store; undefined where there is none.
 *
 * @throws {GraftError} `damaged` when it cannot be understood; `invalid` for an unknown format.
 */
export async function readIdentity(objects: ObjectStore): Promise<StoreIdentity | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await objects.get(IDENTITY_KEY);
  } catch (error) {
    if (isGraftError(error, "missing")) return undefined;
    throw error;
  }
  return decodeIdentity(objects.name, bytes);
}

/**
 * Writes the identity of an object store that has none.
 *
 * @throws {GraftError} `conflict` when it has one.
 */
export async function writeIdentity(objects: ObjectStore, identity: StoreIdentity): Promise<void> {
  const text = JSON.stringify({ format: identity.format, store: identity.store });
  await objects.put(IDENTITY_KEY, new TextEncoder().encode(`${text}\n`), { ifAbsent: true });
}

/**
 * Makes sure that an object store and a log belong together, and writes the identity of an object store
 * where both are new. To be called before anything else is done with either.
 *
 * @throws {GraftError} `invalid` when they do not match; the hint says how to go on.
 */
export async function reconcileIdentity(objects: ObjectStore, log: LogIdentity): Promise<void> {
  const identity = await readIdentity(objects);
  if (identity?.store === log.storeId) return;
  if (identity !== undefined) throw log.isNew ? newLog(objects, log) : mismatch(objects, log);
  if (!log.isNew) throw newObjects(objects, log);
  if (await holdsSegments(objects)) {
    // another server that started on the same may have claimed it since, and taken writes
    if ((await readIdentity(objects))?.store === log.storeId) return;
    throw lostIdentity(objects);
  }
  await claim(objects, log);
}

/** Of two servers that start on one new object store at once, one comes second. */
async function claim(objects: ObjectStore, log: LogIdentity): Promise<void> {
  try {
    await writeIdentity(objects, { format: STORE_FORMAT, store: log.storeId });
  } catch (error) {
    if (!isGraftError(error, "conflict")) throw error;
    if ((await readIdentity(objects))?.store !== log.storeId) throw mismatch(objects, log);
  }
}

async function holdsSegments(objects: ObjectStore): Promise<boolean> {
  for await (const _entry of objects.list(SEGMENT_PREFIX, { limit: 1 })) return true;
  return false;
}

function decodeIdentity(store: string, bytes: Uint8Array): StoreIdentity {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw unreadable(store, "it is not JSON", cause);
  }
  if (typeof value !== "object" || value === null) throw unreadable(store, "it is not an object");
  const { format, store: id } = value as Partial<Record<string, unknown>>;
  if (typeof format !== "number") throw unreadable(store, `its format is not a number`);
  if (format !== STORE_FORMAT) throw unknownFormat(store, format);
  if (typeof id !== "string" || id.length > STORE_ID_LENGTH_MAX || !STORE_ID.test(id)) {
    throw unreadable(store, "its store id is not one");
  }
  return { format, store: id };
}

function unreadable(store: string, state: string, cause?: unknown): GraftError {
  return new GraftError("damaged", `Cannot read "${IDENTITY_KEY}" of ${store}: ${state}`, {
    cause,
    hint: "Restore it from a backup",
  });
}

function unknownFormat(store: string, format: number): GraftError {
  return new GraftError(
    "invalid",
    `Cannot use ${store}: its format is ${format}, and this program knows ${STORE_FORMAT}`,
    { hint: "Use the version of Graft that wrote it, or a newer one" },
  );
}

function refusal(objects: ObjectStore, log: LogIdentity, state: string, hint: string): GraftError {
  return new GraftError("invalid", `Cannot use ${objects.name} with ${log.name}: ${state}`, {
    hint,
  });
}

function mismatch(objects: ObjectStore, log: LogIdentity): GraftError {
  return refusal(
    objects,
    log,
    "they belong to different stores",
    "Name the objects and the log that were used together",
  );
}

function newLog(objects: ObjectStore, log: LogIdentity): GraftError {
  return refusal(
    objects,
    log,
    "the objects belong to another log, and this log is new",
    "Name the log that these objects were used with, or an empty place for the objects",
  );
}

function newObjects(objects: ObjectStore, log: LogIdentity): GraftError {
  return refusal(
    objects,
    log,
    "the log is in use, and its objects are not there",
    "Name the objects that this log was used with, or a new log",
  );
}

function lostIdentity(objects: ObjectStore): GraftError {
  return new GraftError(
    "invalid",
    `Cannot use ${objects.name}: it holds segments, but no "${IDENTITY_KEY}"`,
    { hint: `Restore "${IDENTITY_KEY}" from a backup, or name an empty place for the objects` },
  );
}
