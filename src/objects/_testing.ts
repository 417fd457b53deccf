// Parts that the tests of this folder share.

import { equal, ok, rejects } from "node:assert/strict";
import { type GraftErrorCode, isGraftError } from "../core/errors.ts";
import type { Metrics } from "../core/metrics.ts";
import { type DiskIo, systemDisk } from "./_disk_io.ts";
import type { ObjectEntry } from "./object_store.ts";

/** Bytes that differ from offset to offset and from seed to seed. */
export function sampleBytes(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >>> 8) * 7 + seed * 101) & 0xff;
  return bytes;
}

/** All entries of a listing. */
export async function collect(entries: AsyncIterable<ObjectEntry>): Promise<ObjectEntry[]> {
  const all: ObjectEntry[] = [];
  for await (const entry of entries) all.push(entry);
  return all;
}

/** Fails unless `promise` rejects with a GraftError of this code whose message matches. */
export async function rejectsWith(
  promise: Promise<unknown>,
  code: GraftErrorCode,
  message = /^Cannot \w+ .+: .+[^.]$/s,
): Promise<void> {
  await rejects(promise, (error: unknown) => {
    ok(isGraftError(error), `not a GraftError: ${error}`);
    equal(error.code, code, error.message);
    ok(message.test(error.message), error.message);
    return true;
  });
}

/** Metrics that can be read back. */
export class RecordedMetrics implements Metrics {
  /** Sums by name and label values: `requests_total{put,ok}`. */
  readonly counters = new Map<string, number>();
  /** Values by name and label values. */
  readonly histograms = new Map<string, number[]>();
  readonly #gauges = new Map<string, () => number>();

  /** A counter that is read by `counters`. */
  counter(name: string, _help: string, labels?: Record<string, string>): { add(n?: number): void } {
    const id = idOf(name, labels);
    return { add: (amount = 1) => this.counters.set(id, (this.counters.get(id) ?? 0) + amount) };
  }

  /** A histogram that is read by `histograms`. */
  histogram(
    name: string,
    _help: string,
    _bounds: readonly number[],
    labels?: Record<string, string>,
  ): { record(value: number): void } {
    const id = idOf(name, labels);
    return {
      record: (value) => {
        this.histograms.set(id, [...this.histograms.get(id) ?? [], value]);
      },
    };
  }

  /** A gauge that is read by `readGauge`. */
  gauge(name: string, _help: string, read: () => number, labels?: Record<string, string>): void {
    this.#gauges.set(idOf(name, labels), read);
  }

  /** What a gauge shows now. */
  readGauge(id: string): number | undefined {
    return this.#gauges.get(id)?.();
  }
}

function idOf(name: string, labels: Record<string, string> = {}): string {
  const values = Object.values(labels);
  return values.length === 0 ? name : `${name}{${values.join()}}`;
}

/** An error as the system throws it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** The machine's disk, with some of its methods replaced. */
export function diskWith(replaced: Partial<DiskIo>): DiskIo {
  return { ...systemDisk, ...replaced };
}

/** A directory that is removed at the end of its scope. */
export class TemporaryDirectory implements AsyncDisposable {
  private constructor(readonly path: string) {}

  /** Makes one. */
  static async make(): Promise<TemporaryDirectory> {
    return new TemporaryDirectory(await Deno.makeTempDir({ prefix: "graft-objects-" }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}
