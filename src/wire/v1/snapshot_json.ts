/**
 * Snapshots as JSON.
 *
 * @module
 */

import { hex } from "@scure/base";
import { type Digest, DIGEST_BYTES } from "../../core/content_digest.ts";
import { GraftError, isGraftError } from "../../core/errors.ts";
import { type ClientId, parseGid, type VolumeId } from "../../core/gid.ts";
import { toLsn } from "../../core/lsn.ts";
import { toPageCount } from "../../core/page.ts";
import type { Snapshot } from "../../core/snapshot.ts";

/** A snapshot, and what stands for everything that led to it. */
export interface ChainedSnapshot extends Snapshot {
  /** The digest of its commit, which covers the digest of the one before it. */
  readonly digest: Digest;
}

/** A snapshot as JSON. */
export interface SnapshotJson {
  /** The volume. */
  readonly vid: string;
  /** The client that committed. */
  readonly cid: string;
  /** The place in the volume's line. */
  readonly lsn: number;
  /** The oldest LSN that is still readable. */
  readonly checkpointLsn: number;
  /** Pages of the volume. */
  readonly pageCount: number;
  /** When it was committed, as RFC 3339 has it, in UTC. */
  readonly timestamp: string;
  /** The commit's digest: 32 hex digits. */
  readonly digest: string;
}

/** A snapshot on its way out. */
export function snapshotToJson(snapshot: ChainedSnapshot): SnapshotJson {
  const { vid, cid, lsn, checkpointLsn, pageCount, timestampMs, digest } = snapshot;
  const timestamp = new Date(timestampMs).toISOString();
  return { vid, cid, lsn, checkpointLsn, pageCount, timestamp, digest: hex.encode(digest) };
}

/**
 * A snapshot on its way in.
 *
 * @param value What `JSON.parse` made of an answer; it may be anything.
 * @throws {GraftError} `invalid` that names the field that is none.
 *
 * @example
 * ```ts
 * import { snapshotFromJson } from "./snapshot_json.ts";
 *
 * const snapshot = snapshotFromJson({
 *   vid: "GonwTRj2SohJzYLLjD9nSq",
 *   cid: "Qi81Dp4C52GLoBknSJtPzw",
 *   lsn: 7,
 *   checkpointLsn: 1,
 *   pageCount: 3,
 *   timestamp: "2026-11-22T19:21:54.234Z",
 *   digest: "00112233445566778899aabbccddeeff",
 * });
 * console.log(snapshot.lsn, snapshot.timestampMs); // 7 1795375314234
 * ```
 */
export function snapshotFromJson(value: unknown): ChainedSnapshot {
  const fields = new JsonFields("the snapshot", value);
  return {
    vid: fields.volumeId("vid"),
    cid: fields.clientId("cid"),
    lsn: fields.number("lsn", toLsn),
    checkpointLsn: fields.number("checkpointLsn", toLsn),
    pageCount: fields.number("pageCount", toPageCount),
    timestampMs: fields.timeMs("timestamp"),
    digest: fields.digest("digest"),
  };
}

/** Reads the fields of a JSON object that anyone may have sent. */
export class JsonFields {
  readonly #subject: string;
  readonly #fields: Record<string, unknown>;

  /** @throws {GraftError} `invalid` when `value` is no object; `subject` is what it was said to be. */
  constructor(subject: string, value: unknown) {
    this.#subject = subject;
    if (typeof value !== "object" || value === null) {
      throw new GraftError("invalid", `Cannot read ${subject}: it is no JSON object`);
    }
    this.#fields = value as Record<string, unknown>;
  }

  /** Whether the field is there, and not null. */
  has(name: string): boolean {
    return this.#fields[name] !== undefined && this.#fields[name] !== null;
  }

  /** Whatever the field is. */
  any(name: string): unknown {
    return this.#fields[name];
  }

  /** A number that `convert` accepts. */
  number<T>(name: string, convert: (value: number) => T): T {
    const value = this.#fields[name];
    if (typeof value !== "number") throw this.#refuse(name, "is no number");
    return this.#convert(name, () => convert(value));
  }

  /** A string. */
  string(name: string): string {
    const value = this.#fields[name];
    if (typeof value === "string") return value;
    throw this.#refuse(name, "is no string");
  }

  /** A volume's id. */
  volumeId(name: string): VolumeId {
    return this.#convert(name, () => parseGid("volume", this.string(name)));
  }

  /** A client's id. */
  clientId(name: string): ClientId {
    return this.#convert(name, () => parseGid("client", this.string(name)));
  }

  /** A time, in milliseconds since 1970. */
  timeMs(name: string): number {
    const timestampMs = Date.parse(this.string(name));
    if (Number.isNaN(timestampMs)) throw this.#refuse(name, "is no time");
    return timestampMs;
  }

  /** A digest. */
  digest(name: string): Digest {
    const text = this.string(name);
    if (/^[0-9a-f]{32}$/.test(text)) return hex.decode(text);
    throw this.#refuse(name, `is not ${DIGEST_BYTES} bytes as hex digits`);
  }

  /** Bytes that `convert` makes of a string. */
  bytes<T>(name: string, convert: (text: string) => T): T {
    const text = this.string(name);
    try {
      return convert(text);
    } catch (cause) {
      throw this.#refuse(name, "does not decode", cause);
    }
  }

  #convert<T>(name: string, read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (!isGraftError(error, "invalid")) throw error;
      throw this.#refuse(name, "is malformed", error);
    }
  }

  #refuse(name: string, state: string, cause?: unknown): GraftError {
    return new GraftError("invalid", `Cannot read ${this.#subject}: field "${name}" ${state}`, {
      cause,
    });
  }
}
