// A store that gives back other bytes than it was given: they are reported with their object, and not served.

import assert from "node:assert/strict";
import type { VolumeId } from "../../../src/core/gid.ts";
import { SharedVolume } from "../../cluster/_support/shared_volume.ts";
import { HttpProxy } from "../../harness/http_proxy.ts";
import { until } from "../../harness/poll.ts";
import { S3_KINDS, type S3Kind } from "../../harness/programs/s3.ts";
import { WireClient, WireFailure } from "../../harness/wire_client.ts";
import { openServedStore, restartCold, type ServedStore } from "./_support/served_store.ts";

type Bytes = Uint8Array<ArrayBuffer>;
type Served = ServedStore<HttpProxy>;

/** Pages of three frames. */
const PAGE_IDXS = Array.from({ length: 40 }, (_, i) => i + 1);

const open = (kind: S3Kind): Promise<Served> =>
  openServedStore({ kind, log: "bucket" }, (target, opened) => opened.use(new HttpProxy(target)));

/** Replaces an object by what `change` makes of it, past the server. */
async function tamper({ s3, bucket }: Served, key: string, change: (bytes: Bytes) => Bytes) {
  const client = s3.client(bucket);
  const bytes = await (await client.getObject(key)).bytes();
  await client.putObject(key, change(bytes));
}

const flipped = (at: number) => (bytes: Bytes): Bytes => {
  bytes[at < 0 ? bytes.length + at : at] ^= 0x10;
  return bytes;
};

/** Demands an error of class 500 in the answer, and the object's name in the server's log. */
async function assertReported({ server }: Served, name: string, answer: Promise<unknown>) {
  await assert.rejects(answer, (error) => {
    assert.ok(error instanceof WireFailure, String(error));
    assert.deepEqual([error.status, error.wireCode], [500, 100], error.message);
    return true;
  });
  await until(`a line about "${name}" in the server's log`, () => {
    const line = server.logs.split("\n").find((line) => line.includes(name));
    return Promise.resolve(line?.includes("damaged"));
  });
}

/** Demands that a volume can still be written and read. */
async function assertGoesOn({ server }: Served, volume: SharedVolume): Promise<void> {
  await volume.write(server, server, [1, 50]);
  await volume.assertReads(server);
}

const SEGMENT_LIES: Readonly<Record<string, (bytes: Bytes) => Bytes>> = {
  "is cut in the middle": (bytes) => bytes.slice(0, bytes.length >> 1),
  "is empty": () => new Uint8Array(),
  "has a bit flipped in its first frame": flipped(200),
  "has a bit flipped in its directory": flipped(-100),
  "has a bit flipped in its trailer": flipped(-10),
  "has a byte more": (bytes) => new Uint8Array([...bytes, 0]),
};

async function reportsSegments(served: Served): Promise<void> {
  const { server } = served;
  const other = new SharedVolume();
  await other.write(server, server, PAGE_IDXS);
  const lies: { name: string; volume: SharedVolume; sid: string }[] = [];
  for (const [name, lie] of Object.entries(SEGMENT_LIES)) {
    const volume = new SharedVolume();
    const [sid] = await volume.write(server, server, PAGE_IDXS);
    await tamper(served, `objects/segments/${sid}`, lie);
    lies.push({ name, volume, sid });
  }
  await restartCold(server);
  for (const { name, volume, sid } of lies) {
    const read = volume.read(server, 1, PAGE_IDXS);
    await assertReported(served, sid, read).catch((cause) => {
      throw new Error(`A segment that ${name}`, { cause });
    });
    await assertGoesOn(served, other);
    // what is written anew is not touched by it
    await volume.write(server, server, PAGE_IDXS);
    await volume.assertReads(server);
  }
}

async function servesTheUntouchedFrames(served: Served): Promise<void> {
  const { server } = served;
  const volume = new SharedVolume();
  const [sid] = await volume.write(server, server, PAGE_IDXS);
  await tamper(served, `objects/segments/${sid}`, flipped(200));
  await restartCold(server);
  const untouched = PAGE_IDXS.slice(16);
  assert.equal((await volume.read(server, 1, untouched)).indexes.length, untouched.length);
  await assertReported(served, sid, volume.read(server, 1, [1]));
}

async function reportsALostSegment(served: Served): Promise<void> {
  const { server, s3, bucket } = served;
  const volume = new SharedVolume();
  const [sid] = await volume.write(server, server, PAGE_IDXS);
  await s3.client(bucket).deleteObject(`objects/segments/${sid}`);
  await restartCold(server);
  await assertReported(served, sid, volume.read(server, 1, PAGE_IDXS));
}

/** Bytes that change on their way are damage as well, for as long as they do. */
async function recoversFromABadLine(served: Served): Promise<void> {
  const { server, proxy } = served;
  const volume = new SharedVolume();
  const [sid] = await volume.write(server, server, PAGE_IDXS);
  await restartCold(server);
  proxy.fault = ({ kind, path }) =>
    kind === "GET" && path.includes(sid) ? { kind: "flip" } : undefined;
  await assertReported(served, sid, volume.read(server, 1, PAGE_IDXS));
  proxy.fault = () => undefined;
  await volume.assertReads(server);
}

const RECORD_LIES: Readonly<Record<string, (bytes: Bytes) => Bytes>> = {
  "is cut in the middle": (bytes) => bytes.slice(0, bytes.length >> 1),
  "is empty": () => new Uint8Array(),
  "has a bit flipped": flipped(40),
};

async function reportsRecords(served: Served): Promise<void> {
  const { server } = served;
  const other = new SharedVolume();
  await other.write(server, server, PAGE_IDXS);
  const lies: { name: string; volume: SharedVolume; key: string }[] = [];
  for (const [name, lie] of Object.entries(RECORD_LIES)) {
    const volume = new SharedVolume();
    await volume.write(server, server, PAGE_IDXS);
    await volume.write(server, server, [1]);
    await volume.write(server, server, [2]);
    const key = await newestRecord(served, volume.vid);
    await tamper(served, key, lie);
    lies.push({ name, volume, key });
  }
  await restartCold(server);
  for (const { name, volume, key } of lies) {
    await assertRecordReported(served, volume, key).catch((cause) => {
      throw new Error(`A record that ${name}`, { cause });
    });
    await assertGoesOn(served, other);
  }
}

/** Whatever is asked of the volume, as nobody knows what its head is. */
async function assertRecordReported(served: Served, volume: SharedVolume, key: string) {
  const { server } = served;
  // the log names objects below its own root
  const name = key.replace(/^log\//, "");
  using client = new WireClient(server.url);
  await assertReported(served, name, client.snapshot(volume.vid));
  await assertReported(served, name, volume.read(server, 3, [1]));
  await assertReported(served, name, volume.write(server, server, [3]));
}

/** The key of the object of a volume's newest commit: the one that sorts first. */
async function newestRecord({ s3, bucket }: Served, vid: VolumeId): Promise<string> {
  const prefix = `log/log/${vid}/`;
  for await (const { key } of s3.client(bucket).listObjects({ prefix })) return key;
  throw new Error(`Cannot find a record of ${vid}`);
}

const TESTS: Readonly<Record<string, (served: Served) => Promise<void>>> = {
  "segments that are not what was stored": reportsSegments,
  "the frames of a segment that are as they were": servesTheUntouchedFrames,
  "a segment that is gone": reportsALostSegment,
  "a segment whose bytes change on the way": recoversFromABadLine,
  "records that are not what was stored": reportsRecords,
};

for (const kind of S3_KINDS) {
  Deno.test(`a store that lies: ${kind}`, async (t) => {
    await using served = await open(kind);
    for (const [name, test] of Object.entries(TESTS)) await t.step(name, () => test(served));
  });
}
