/**
 * What the server needs of the engines.
 *
 * @module
 */

import type { Metastore } from "../metastore/metastore.ts";
import type { PageWrite } from "../pagestore/page_write.ts";
import type { FramesRead, PagesRead, Pagestore } from "../pagestore/pagestore.ts";

/** The metastore, as far as routes use it. */
export type MetastoreApi = Pick<
  Metastore,
  | "snapshot"
  | "snapshotAt"
  | "commit"
  | "pullGraft"
  | "pullCommits"
  | "volumes"
  | "createVolume"
  | "log"
  | "changes"
  | "find"
  | "deleteVolume"
  | "subscribe"
  | "announcesAll"
>;

/** A write under way, as far as routes use it. */
export type PageWriteApi = Pick<PageWrite, "hold" | "add" | "finish" | "abort">;

/** The pagestore, as far as routes use it. */
export interface PagestoreApi {
  /** See {@linkcode Pagestore.read}. */
  read(...args: Parameters<Pagestore["read"]>): Promise<PagesRead>;
  /** See {@linkcode Pagestore.readFrames}. */
  readFrames(...args: Parameters<Pagestore["readFrames"]>): Promise<FramesRead>;
  /** See {@linkcode Pagestore.openWrite}. */
  openWrite(expectedBytes?: number): PageWriteApi;
}

/** Which of the two a server answers for. */
export type Role = "all" | "metastore" | "pagestore";
