// A long log in a bucket, made quickly: its records are written in memory and laid into the server's folder.

import { dirname } from "node:path";
import { systemClock } from "../../src/core/clock.ts";
import type { VolumeId } from "../../src/core/gid.ts";
import { type Lsn, toLsn } from "../../src/core/lsn.ts";
import { noMetrics } from "../../src/core/metrics.ts";
import { systemRandom } from "../../src/core/random.ts";
import { BucketLog } from "../../src/log/bucket/bucket_log.ts";
import { recordAfter } from "../../src/log/_testing.ts";
import { MemoryStore } from "../../src/objects/memory_store.ts";

/** The files of a log's root. */
const LOG_FILES = /^(log\.json|log\/.*)$/;

/**
 * Lengthens the one volume of a log in a folder to `length` commits, all of the segment of its head.
 *
 * @param folder Where versitygw keeps the objects of the log's root.
 */
export async function lengthenLog(folder: string, vid: VolumeId, length: number): Promise<Lsn> {
  const store = new MemoryStore();
  for await (const key of filesIn(folder)) {
    if (LOG_FILES.test(key)) await store.put(key, await Deno.readFile(`${folder}/${key}`));
  }
  const log = await BucketLog.open({
    store,
    segments: store,
    name: "memory:",
    clock: systemClock,
    random: systemRandom,
    metrics: noMetrics,
    onListenerError: (error) => {
      throw error;
    },
  });
  let base = await log.head(vid);
  const segments = (await log.record(vid, toLsn(base.head?.lsn ?? 1)))?.segments;
  const pageCount = base.head?.pageCount;
  while ((base.head?.lsn ?? 0) < length) {
    await log.append(recordAfter(vid, base, { segments, pageCount }), base, undefined);
    base = await log.lastKnownHead(vid);
  }
  for await (const { key } of store.list("log/")) {
    await Deno.mkdir(dirname(`${folder}/${key}`), { recursive: true });
    await Deno.writeFile(`${folder}/${key}`, await store.get(key));
  }
  return toLsn(length);
}

async function* filesIn(folder: string, prefix = ""): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(`${folder}/${prefix}`)) {
    if (isDirectory) yield* filesIn(folder, `${prefix}${name}/`);
    else yield prefix + name;
  }
}
