/**
 * Encoding off the event loop.
 *
 * @module
 */

import { assert } from "../../core/assert.ts";
import { GraftError } from "../../core/errors.ts";
import type { SegmentId } from "../../core/gid.ts";
import { type EncodeReply, fromReply, toJob } from "./_encode_jobs.ts";
import type { FrameCodec } from "../codec.ts";
import { encodeSegment } from "./encode_segment.ts";
import type { EncodedSegment, EncodeOptions, SegmentEncoder, VolumePages } from "../segment.ts";

/** Segments of so many pages take about a millisecond, less than sending them to a worker would cost. */
const INLINE_PAGES_MAX = 32;
const WORKERS_MAX_DEFAULT = 2;

/** What a {@linkcode WorkerEncoder} is made of. */
export interface WorkerEncoderParts {
  /** Compresses the frames of small segments, in this thread. */
  readonly codec: FrameCodec;
  /**
   * Starts a worker that calls `serveEncoding`. Default: a module beside this one, which is there
   * unless the program was bundled.
   */
  readonly startWorker?: () => Worker;
  /** How many workers at most (default: 2). Each holds some 70 MB while it is busy. */
  readonly workersMax?: number;
}

/**
 * An encoder that gives large segments to workers, which start when first needed. The page
 * buffers move to them, and the segment back, without a copy.
 */
export class WorkerEncoder implements SegmentEncoder {
  readonly #codec: FrameCodec;
  readonly #startWorker: () => Worker;
  readonly #workersMax: number;
  #workers: EncodeWorker[] = [];
  #closed = false;

  /** Takes its parts; no worker is started. */
  constructor(parts: WorkerEncoderParts) {
    this.#codec = parts.codec;
    this.#startWorker = parts.startWorker ?? startModuleWorker;
    this.#workersMax = parts.workersMax ?? WORKERS_MAX_DEFAULT;
  }

  /** Starts the first worker ahead of the first large segment, which would wait about a second for it. */
  startAhead(): void {
    if (this.#workers.length === 0) this.#start();
  }

  /**
   * Encodes one segment.
   *
   * @throws {GraftError} `unavailable` when the worker that had it died: the next segment gets another;
   * `internal` when the pages break a limit.
   */
  async encode(
    sid: SegmentId,
    volumes: readonly VolumePages[],
    options: EncodeOptions = { keepFrames: false },
  ): Promise<EncodedSegment> {
    assert(!this.#closed, "An encoder was used after it was closed");
    const pages = volumes.reduce((sum, volume) => sum + volume.pages.count, 0);
    if (pages <= INLINE_PAGES_MAX) return encodeSegment(sid, volumes, this.#codec, options);
    return await this.#leastBusy().encode(sid, volumes, options);
  }

  /** Ends the workers; what they were encoding rejects. */
  close(): void {
    this.#closed = true;
    for (const worker of this.#workers) worker.end("its encoder was closed");
  }

  #leastBusy(): EncodeWorker {
    const free = this.#workers.toSorted((a, b) => a.jobCount - b.jobCount).at(0);
    const canWait = free !== undefined &&
      (free.jobCount === 0 || this.#workers.length === this.#workersMax);
    return canWait ? free : this.#start();
  }

  #start(): EncodeWorker {
    const started = new EncodeWorker(this.#startWorker(), () => {
      this.#workers = this.#workers.filter((worker) => worker !== started);
    });
    this.#workers.push(started);
    return started;
  }
}

function startModuleWorker(): Worker {
  return new Worker(new URL("./_encode_worker_main.ts", import.meta.url), { type: "module" });
}

interface PendingJob {
  readonly sid: SegmentId;
  readonly resolve: (segment: EncodedSegment) => void;
  readonly reject: (error: unknown) => void;
}

/** One worker and the jobs that it has. */
class EncodeWorker {
  readonly #worker: Worker;
  readonly #onEnd: () => void;
  readonly #jobs = new Map<number, PendingJob>();
  #nextId = 0;

  constructor(worker: Worker, onEnd: () => void) {
    this.#worker = worker;
    this.#onEnd = onEnd;
    worker.addEventListener("message", (event: MessageEvent<EncodeReply>) => {
      this.#settle(event.data);
    });
    worker.addEventListener("error", (event) => {
      // unhandled, it would end the program
      event.preventDefault();
      this.end(event.message);
    });
    worker.addEventListener("messageerror", () => this.end("its answer cannot be read"));
  }

  get jobCount(): number {
    return this.#jobs.size;
  }

  encode(
    sid: SegmentId,
    volumes: readonly VolumePages[],
    options: EncodeOptions,
  ): Promise<EncodedSegment> {
    return new Promise((resolve, reject) => {
      const { job, transfer } = toJob(this.#nextId++, { sid, volumes, options });
      this.#worker.postMessage(job, transfer);
      this.#jobs.set(job.id, { sid, resolve, reject });
    });
  }

  /** Ends the worker and rejects what it had. */
  end(why: string): void {
    this.#worker.terminate();
    this.#onEnd();
    for (const { sid, reject } of this.#jobs.values()) {
      reject(notEncoded("unavailable", sid, why));
    }
    this.#jobs.clear();
  }

  #settle(reply: EncodeReply): void {
    const job = this.#jobs.get(reply.id);
    assert(job !== undefined, "A worker answered what it was not asked");
    this.#jobs.delete(reply.id);
    if ("failure" in reply) job.reject(notEncoded("internal", job.sid, reply.failure));
    else job.resolve(fromReply(job.sid, reply));
  }
}

function notEncoded(
  code: "internal" | "unavailable",
  sid: SegmentId,
  state: string,
): GraftError {
  return new GraftError(code, `Cannot encode segment "${sid}": ${state}`);
}
