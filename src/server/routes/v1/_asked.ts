// What the routes of v1 share.

import type { Context } from "hono";
import type { Clock } from "../../../core/clock.ts";
import { GraftError } from "../../../core/errors.ts";
import { parseGid, type VolumeId } from "../../../core/gid.ts";
import { type Lsn, toLsn } from "../../../core/lsn.ts";
import { type Compress, isMediaType } from "../../../wire/v1/mod.ts";
import { type Claims, requireRight, type Verb } from "../../auth/claims.ts";
import type { MetastoreApi, PagestoreApi } from "../../engines.ts";
import type { Exchange } from "../../http/exchange.ts";
import { StatusError } from "../../http/failure.ts";
import type { Subscriptions } from "../../subscriptions/subscriptions.ts";

/** What the routes work on. */
export interface RouteParts {
  /** Where volumes are. */
  readonly metastore: MetastoreApi;
  /** Where pages are. */
  readonly pagestore: PagestoreApi;
  /** Compresses pages with zstd. */
  readonly compress: Compress;
  /** Those who follow volumes. */
  readonly subscriptions: Subscriptions;
  /** What "2h ago" counts from. */
  readonly clock: Clock;
  /** The longest body of a commit, in bytes, after it was decompressed. */
  readonly bodyLimitBytes: number;
}

/** What an answer is made from. */
export interface Asked {
  readonly exchange: Exchange;
  readonly claims: Claims;
  readonly context: Context;
  readonly parts: RouteParts;
}

/** Makes an answer. */
export type Answer = (asked: Asked) => Promise<Response> | Response;

/** Answers by path, as hono writes it, and method. */
export type Routes = Readonly<Record<string, Readonly<Record<string, Answer>>>>;

/** The volume in the path, if the claims allow this on it. */
export function permittedVid(context: Context, claims: Claims, verb: Verb): VolumeId {
  const vid = parseGid("volume", context.req.param("vid") ?? "");
  requireRight(claims, verb, vid);
  return vid;
}

/** A parameter of the query, read by `parse`; undefined where it is not there. */
export function optional<T>(
  context: Context,
  name: string,
  parse: (text: string) => T,
): T | undefined {
  const text = context.req.query(name);
  return text === undefined ? undefined : parse(text);
}

/** The LSN that a parameter names. */
export function parseLsn(name: string, text: string): Lsn {
  if (/^\d+$/.test(text)) return toLsn(Number(text));
  throw new GraftError("invalid", `Cannot use "${text}" as "${name}": it is no LSN`);
}

/** Refuses a body of another kind. */
export function requireMediaType({ request }: Exchange, mediaType: string): void {
  const given = request.headers.get("content-type");
  if (isMediaType(given, mediaType)) return;
  const state = given === null ? "it has no content type" : `its content type is "${given}"`;
  throw new StatusError(415, `Cannot read the request: ${state}; "${mediaType}" is needed`);
}
