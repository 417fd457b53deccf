// A store on a scripted server: its pauses are noted and skipped, its deadlines are real.

import { systemClock } from "../../core/clock.ts";
import { systemTimers, type Timers } from "../../core/timers.ts";
import { RecordedMetrics } from "../_testing.ts";
import { partsFor } from "./_testing.ts";
import { ScriptedS3 } from "./_testing_server.ts";
import type { ScriptedAnswer, WrittenAnswer } from "./_testing_server.ts";
import type { S3StoreParts } from "./s3_store_parts.ts";
import { parseS3Address } from "./s3_address.ts";
import { S3Store } from "./s3_store.ts";

/** The store's name. */
export const STORE = "s3://bucket/some/place";

/** Timers that skip every pause and note how long it was. */
export class NotedTimers implements Timers {
  /** The pauses. */
  readonly pauses: number[] = [];
  /** How long attempts were given, in the order in which that was decided. */
  readonly deadlines: number[] = [];

  /** Does not wait. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    this.pauses.push(delayMs);
    return systemTimers.sleep(0, signal);
  }

  /** Notes the delay, and waits for it. */
  after(delayMs: number, callback: () => void): () => void {
    this.deadlines.push(delayMs);
    return systemTimers.after(delayMs, callback);
  }
}

/** A store and the server that it talks to. */
export class ScriptedStore implements AsyncDisposable {
  readonly server: ScriptedS3;
  readonly timers = new NotedTimers();
  readonly metrics = new RecordedMetrics();
  readonly store: S3Store;

  /** A store whose chance is always `fraction`. */
  constructor(server: ScriptedS3, replaced: Partial<S3StoreParts> = {}, fraction = 0.5) {
    this.server = server;
    const { timers, metrics } = this;
    const random = { fill: (target: Uint8Array<ArrayBuffer>) => target, fraction: () => fraction };
    const parts = partsFor(server.env(), { timers, metrics, random, ...replaced });
    this.store = new S3Store(parseS3Address(STORE), parts);
  }

  /** A store whose server gives one answer after the other. */
  static answering(...answers: readonly ScriptedAnswer[]): ScriptedStore {
    return new ScriptedStore(ScriptedS3.answering(...answers));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
    await this.server[Symbol.asyncDispose]();
  }
}

/** An error as S3 tells it. */
export function s3Error(status: number, code: string, more = ""): WrittenAnswer {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n` +
    `<Error><Code>${code}</Code><Message>Something is wrong.</Message>${more}</Error>`;
  return { status, body };
}

/** A clock that a test moves. */
export function movedClock(): { now(): number; monotonic(): number; forwardMs: number } {
  return {
    forwardMs: 0,
    now: () => systemClock.now(),
    monotonic() {
      return systemClock.monotonic() + this.forwardMs;
    },
  };
}
