/**
 * How long until all readers of a volume are told of a commit, and does the server's memory grow?
 *
 * A server, its readers and the committer are a process each. A commit is of one page; its time runs from
 * the moment before it is sent, and from its answer, until the last reader was told. The next one is made
 * when all were told.
 *
 * usage: deno task bench:subscribers [READERS] [COMMITS]
 *        deno task soak:subscribers [READERS] [MINUTES]
 *
 * The soak commits five times a second to a server with small caches, and prints the server's resident memory (Linux) and, by its
 * inspector, its heap after a garbage collection.
 *
 * @module
 */

import { GraftClient } from "../client/mod.ts";
import type { VolumeId } from "../src/core/gid.ts";
import { pause } from "../tests/harness/poll.ts";
import { type ServerProcess, startServer } from "../tests/harness/server.ts";
import { inspected, Inspector } from "./_inspector.ts";

const READERS_PROGRAM = new URL("_event_readers.ts", import.meta.url).pathname;
const READERS = 1000;
const COMMITS = 300;
const MINUTES = 10;
/** Commits before anything is measured. */
const WARM_UP = 20;
const SOAK_EVERY_MS = 200;
const SAMPLE_EVERY_MS = 30_000;
/** Caches that are full from the first minute on, so that what grows is no cache that fills. */
const SMALL_CACHES = ["--cache-bytes", "1MiB"];
const MEGABYTE = 1e6;

/** Readers in a process of their own. */
class Readers implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(url: string, vid: VolumeId, count: number) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", READERS_PROGRAM, url, vid, String(count)],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#lines = linesOf(this.#child.stdout);
  }

  /** Resolves when all have been told of the head. */
  static async start(url: string, vid: VolumeId, count: number): Promise<Readers> {
    const readers = new Readers(url, vid, count);
    await readers.#next();
    return readers;
  }

  /** When the last of them was told of an LSN, in milliseconds since 1970. */
  async allTold(lsn: number): Promise<number> {
    for (;;) {
      const [told, atMs] = (await this.#next()).split(" ").map(Number);
      if (told === lsn) return atMs;
    }
  }

  async #next(): Promise<string> {
    const { done, value } = await this.#lines.next();
    if (done) throw new Error("Cannot hear from the readers: they ended");
    return value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

/** The time of one commit, in milliseconds. */
interface Told {
  /** From before it was sent until all were told. */
  readonly fromSendingMs: number;
  /** From its answer until all were told; below 0 when they were told before. */
  readonly fromAnswerMs: number;
}

/** A volume that many follow. */
class Followed {
  readonly #client: GraftClient;
  readonly #page = new Uint8Array(4096);
  #lsn: number | undefined;
  readonly vid: VolumeId;

  constructor(url: string) {
    this.#client = new GraftClient(url);
    this.vid = this.#client.newVolumeId();
  }

  /** Commits a page. */
  async commit(): Promise<number> {
    crypto.getRandomValues(this.#page);
    const { lsn } = await this.#client.push(this.vid, this.#lsn, new Map([[1, this.#page]]), 1);
    this.#lsn = lsn;
    return lsn;
  }

  /** Commits a page and waits until all were told. */
  async tell(readers: Readers): Promise<Told> {
    const sentMs = nowMs();
    const lsn = await this.commit();
    const answeredMs = nowMs();
    const toldMs = await readers.allTold(lsn);
    return { fromSendingMs: toldMs - sentMs, fromAnswerMs: toldMs - answeredMs };
  }
}

function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

function spread(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)].toFixed(1);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`;
}

function residentBytes(pid: number): number {
  const line = /VmRSS:\s+(\d+) kB/.exec(Deno.readTextFileSync(`/proc/${pid}/status`));
  return Number(line?.[1]) * 1024;
}

/** Seconds of processor time that a process has used. */
function processorSeconds(pid: number): number {
  const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Growth a minute, by least squares. */
function slope(samples: readonly (readonly [minutes: number, bytes: number])[]): number {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const x = mean(samples.map(([minutes]) => minutes));
  const y = mean(samples.map(([, bytes]) => bytes));
  const above = samples.reduce((sum, [minutes, bytes]) => sum + (minutes - x) * (bytes - y), 0);
  return above / samples.reduce((sum, [minutes]) => sum + (minutes - x) ** 2, 0);
}

async function measure(server: ServerProcess, count: number, commits: number): Promise<void> {
  const volume = new Followed(server.url);
  await volume.commit();
  await using readers = await Readers.start(server.url, volume.vid, count);
  for (let i = 0; i < WARM_UP; i++) await volume.tell(readers);
  const used = processorSeconds(server.pid);
  const told: Told[] = [];
  for (let i = 0; i < commits; i++) told.push(await volume.tell(readers));
  const cpuMs = (processorSeconds(server.pid) - used) * 1000 / commits;
  console.log(`${count} readers, ${commits} commits`);
  console.log(`sent to all told: ${spread(told.map(({ fromSendingMs }) => fromSendingMs))}`);
  console.log(`answered to all told: ${spread(told.map(({ fromAnswerMs }) => fromAnswerMs))}`);
  console.log(`processor time of the server: ${cpuMs.toFixed(1)} ms a commit`);
}

async function soak(server: ServerProcess, count: number, minutes: number): Promise<void> {
  const volume = new Followed(server.url);
  await volume.commit();
  await using readers = await Readers.start(server.url, volume.vid, count);
  for (let i = 0; i < WARM_UP; i++) await volume.tell(readers);
  const startedMs = nowMs();
  const told: Told[] = [];
  const resident: [number, number][] = [];
  const heap: [number, number][] = [];
  while (nowMs() < startedMs + minutes * 60_000) {
    const roundMs = nowMs();
    if (roundMs >= startedMs + resident.length * SAMPLE_EVERY_MS) {
      const passed = (roundMs - startedMs) / 60_000;
      heap.push([passed, await collectedHeapBytes(server)]);
      resident.push([passed, residentBytes(server.pid)]);
      console.log(
        `minute ${passed.toFixed(1)}: ${inMegabytes(resident)}, heap ${inMegabytes(heap)}`,
      );
    }
    told.push(await volume.tell(readers));
    await pause(Math.max(0, roundMs + SOAK_EVERY_MS - nowMs()));
  }
  console.log(`${count} readers, ${told.length} commits in ${minutes} minutes`);
  console.log(`sent to all told: ${spread(told.map(({ fromSendingMs }) => fromSendingMs))}`);
  for (const [name, samples] of Object.entries({ resident, heap })) {
    const [first, last] = [samples.slice(0, 1), samples.slice(-1)].map(inMegabytes);
    const growth = (slope(samples) / MEGABYTE).toFixed(2);
    console.log(`${name}: ${first} to ${last}, ${growth} MB a minute`);
  }
}

function inMegabytes(samples: readonly (readonly [number, number])[]): string {
  return `${(samples.at(-1)![1] / MEGABYTE).toFixed(1)} MB`;
}

async function collectedHeapBytes(server: ServerProcess): Promise<number> {
  await using inspector = await Inspector.connect(server.logs);
  await inspector.call("HeapProfiler.collectGarbage");
  const { usedSize } = await inspector.call("Runtime.getHeapUsage");
  return Number(usedSize);
}

if (import.meta.main) {
  const isSoak = Deno.args[0] === "--soak";
  const [readers = READERS, amount = isSoak ? MINUTES : COMMITS] = Deno.args
    .slice(isSoak ? 1 : 0).map(Number);
  await using server = await startServer({
    env: { MALLOC_ARENA_MAX: "2" },
    prefix: isSoak ? inspected() : [],
    args: isSoak ? SMALL_CACHES : [],
  });
  if (isSoak) await soak(server, readers, amount);
  else await measure(server, readers, amount);
}
