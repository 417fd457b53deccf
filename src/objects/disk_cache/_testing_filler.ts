// A process that fills a cache until it is killed, a batch for each line that it is sent.

import { systemClock } from "../../core/clock.ts";
import { noMetrics } from "../../core/metrics.ts";
import { MIB, sampleOf } from "./_testing.ts";
import { DiskCache } from "./disk_cache.ts";

if (import.meta.main) {
  const [directory] = Deno.args;
  const options = { directory, bytesMax: 16 * MIB, clock: systemClock, metrics: noMetrics };
  const cache = await DiskCache.open(options);
  let n = 0;
  for await (const _line of Deno.stdin.readable) {
    for (const end = n + 50; n < end; n++) cache.set(`a${n}`, sampleOf(`a${n}`, 10_000));
    await cache.flush();
    console.log(n);
  }
}
