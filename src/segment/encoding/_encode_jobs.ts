// What a thread and its encoding workers say to each other. Pages go and segments come back by transfer.

import type { Digest } from "../../core/content_digest.ts";
import type { SegmentId, VolumeId } from "../../core/gid.ts";
import { PAGE_SIZE } from "../../core/limits.ts";
import { PageSet } from "../../core/page_set.ts";
import type { PageSource } from "./_segment_builder.ts";
import type { FrameCodec } from "../codec.ts";
import { encodeSegment } from "./encode_segment.ts";
import type { EncodedSegment, EncodeOptions, KeptFrame, VolumePages } from "../segment.ts";

/** A segment to encode. */
export interface EncodeJob {
  readonly id: number;
  readonly sid: SegmentId;
  readonly options: EncodeOptions;
  readonly volumes: readonly {
    readonly vid: VolumeId;
    readonly indexes: Uint32Array<ArrayBuffer>;
    readonly slabs: readonly Uint8Array<ArrayBuffer>[];
  }[];
}

/** A segment that was encoded, or why it was not. */
export type EncodeReply = EncodeSuccess | { readonly id: number; readonly failure: string };

interface EncodeSuccess {
  readonly id: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly volumes: readonly {
    readonly vid: VolumeId;
    readonly pageSet: Uint8Array;
    readonly digest: Digest;
  }[];
  readonly frames: readonly (readonly KeptFrame[])[];
}

/** The part of a worker's global scope that it needs. */
export interface WorkerScope {
  addEventListener(type: "message", listener: (event: MessageEvent<EncodeJob>) => void): void;
  postMessage(reply: EncodeReply, transfer: Transferable[]): void;
}

/** Writes a job and the list of what moves with it. The page buffers cannot be used afterwards. */
export function toJob(
  id: number,
  { sid, volumes, options }: {
    sid: SegmentId;
    volumes: readonly VolumePages[];
    options: EncodeOptions;
  },
): { job: EncodeJob; transfer: Transferable[] } {
  const job = {
    id,
    sid,
    options,
    // a view of the indexes would drag all of its buffer along
    volumes: volumes.map(({ vid, pages }) => ({
      vid,
      indexes: pages.indexes.slice(),
      slabs: pages.slabs,
    })),
  };
  const transfer = job.volumes.flatMap(({ indexes, slabs }) => [
    indexes.buffer,
    ...slabs.map(({ buffer }) => buffer),
  ]);
  return { job, transfer };
}

/** Reads the segment out of a reply. */
export function fromReply(sid: SegmentId, reply: EncodeSuccess): EncodedSegment {
  const volumes = reply.volumes.map(({ vid, pageSet, digest }) => ({
    vid,
    pageSet: PageSet.decode(pageSet),
    digest,
  }));
  return { sid, bytes: reply.bytes, volumes, frames: reply.frames };
}

/** Answers every job that arrives at a worker. */
export function serveJobs(scope: WorkerScope, codec: FrameCodec): void {
  scope.addEventListener("message", ({ data }) => {
    const reply = answer(data, codec);
    scope.postMessage(reply, "bytes" in reply ? buffersOf(reply) : []);
  });
}

/** All that moves with a reply. */
function buffersOf({ bytes, frames }: EncodeSuccess): Transferable[] {
  const kept = frames.flat().flatMap(({ pages, hashes }) => [pages.buffer, hashes.buffer]);
  return [bytes.buffer, ...kept];
}

function answer(job: EncodeJob, codec: FrameCodec): EncodeReply {
  try {
    const sources = job.volumes.map((volume) => ({
      vid: volume.vid,
      pages: new TransferredPages(volume.indexes, volume.slabs),
    }));
    const { bytes, volumes, frames } = encodeSegment(job.sid, sources, codec, job.options);
    const sets = volumes.map((volume) => ({ ...volume, pageSet: volume.pageSet.bytes }));
    return { id: job.id, bytes, volumes: sets, frames };
  } catch (error) {
    return { id: job.id, failure: String(error) };
  }
}

/** A page buffer on the other side: slabs of one size, but for the first. */
class TransferredPages implements PageSource {
  readonly indexes: Uint32Array<ArrayBuffer>;
  readonly #slabs: readonly Uint8Array[];
  readonly #firstPages: number;

  constructor(indexes: Uint32Array<ArrayBuffer>, slabs: readonly Uint8Array[]) {
    this.indexes = indexes;
    this.#slabs = slabs;
    this.#firstPages = slabs[0].length / PAGE_SIZE;
  }

  get count(): number {
    return this.indexes.length;
  }

  page(at: number): Uint8Array {
    if (at < this.#firstPages) return pageOf(this.#slabs[0], at);
    const beyond = at - this.#firstPages;
    const slabPages = this.#slabs[1].length / PAGE_SIZE;
    return pageOf(this.#slabs[1 + Math.floor(beyond / slabPages)], beyond % slabPages);
  }
}

function pageOf(slab: Uint8Array, at: number): Uint8Array {
  return slab.subarray(at * PAGE_SIZE, (at + 1) * PAGE_SIZE);
}
