// Parts that the tests of this folder share.

import { systemClock } from "../../core/clock.ts";
import { noMetrics } from "../../core/metrics.ts";
import { systemRandom } from "../../core/random.ts";
import { systemTimers } from "../../core/timers.ts";
import { S3_KINDS, type S3Kind, S3Server } from "../../../tests/harness/programs/s3.ts";
import type { S3StoreParts } from "./s3_store_parts.ts";
import { s3SettingsFrom } from "./s3_settings.ts";
import { openS3Store, type S3Store } from "./s3_store.ts";

/** Parts that reach a server, some of them replaced. */
export function partsFor(
  env: Readonly<Record<string, string>>,
  replaced: Partial<S3StoreParts> = {},
): S3StoreParts {
  return {
    settings: s3SettingsFrom(new Map(Object.entries(env))),
    clock: systemClock,
    random: systemRandom,
    timers: systemTimers,
    metrics: noMetrics,
    ...replaced,
  };
}

/** The S3 servers of one test file: each is started when it is first asked for. */
export class S3Servers implements AsyncDisposable {
  readonly #started = new Map<S3Kind, Promise<S3Server>>();

  /** The server of a kind. */
  async get(kind: S3Kind): Promise<S3Server> {
    const started = this.#started.get(kind) ?? S3Server.start(kind);
    this.#started.set(kind, started);
    return await started;
  }

  /** Opens an empty store on a server. */
  async openStore(kind: S3Kind, replaced: Partial<S3StoreParts> = {}): Promise<S3Store> {
    const server = await this.get(kind);
    const address = `s3://${await server.makeBucket()}/some/place`;
    return await openS3Store(address, partsFor(server.env(), replaced));
  }

  /** Ends all of them. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const started of this.#started.values()) await (await started)[Symbol.asyncDispose]();
  }
}

export { S3_KINDS };
