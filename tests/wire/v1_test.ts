// Volumes as JSON: the routes that people and tools use.

import assert from "node:assert/strict";
import { decodeBase58, encodeBase58 } from "../../src/core/_base58.ts";
import { newId } from "./_support/messages.ts";
import { bounded, openServer, serverOfFile, type TestServer } from "./_support/server.ts";
import { range } from "./_support/splinter.ts";
import { TestVolume } from "./_support/volume.ts";

const server = serverOfFile();
const SECOND_MS = 1000;
const HOUR_MS = 3_600_000;

/** A snapshot as the routes show it. */
interface SnapshotJson {
  readonly vid: string;
  readonly cid: string;
  readonly lsn: number;
  readonly checkpointLsn: number;
  readonly pageCount: number;
  readonly timestamp: string;
}

/** One commit of a log. */
interface CommitJson extends SnapshotJson {
  readonly pagesChanged: number;
  readonly segments: readonly { readonly sid: string; readonly pages: number }[];
}

/** A page of a list; `next` is where to go on. */
interface VolumesJson {
  readonly volumes: readonly SnapshotJson[];
  readonly next: string | null;
}

/** A page of a log. */
interface LogJson {
  readonly commits: readonly CommitJson[];
  readonly next: number | null;
}

async function request(
  path: string,
  init: RequestInit = {},
  to: Pick<TestServer, "to"> = server,
): Promise<{ status: number; headers: Headers; json: Record<string, unknown> }> {
  const response = await fetch(to.to.metastore + path, init);
  const { status, headers } = response;
  return { status, headers, json: JSON.parse(await response.text(), withoutDigest) };
}

/** The v0.1 protocol, which these answers are compared with, has no digests. */
function withoutDigest(name: string, value: unknown): unknown {
  if (name !== "digest") return value;
  assert.match(String(value), /^[0-9a-f]{32}$/);
  return undefined;
}

/** The JSON of an answer that must be a success. */
async function got<T = SnapshotJson>(
  path: string,
  init?: RequestInit,
  to?: Pick<TestServer, "to">,
): Promise<T> {
  const { status, headers, json } = await request(path, init, to);
  assert.ok(status === 200 || status === 201, `${path}: ${status} ${json.detail}`);
  assert.match(headers.get("content-type") ?? "", /^application\/json/);
  return json as T;
}

/** Asserts a refusal by problem details. */
async function problem(
  path: string,
  status: number,
  detail: RegExp,
  init?: RequestInit,
  to?: Pick<TestServer, "to">,
): Promise<void> {
  const answer = await request(path, init, to);
  assert.equal(answer.status, status, `${path}: ${JSON.stringify(answer.json)}`);
  assert.equal(answer.headers.get("content-type"), "application/problem+json");
  assert.equal(answer.json.status, status);
  assert.match(String(answer.json.detail), detail);
  for (const field of ["type", "title"]) assert.equal(typeof answer.json[field], "string", field);
}

const textOf = (id: Uint8Array): string => encodeBase58(id);

/** A snapshot of the wire as the routes show it. */
async function expected(volume: TestVolume, lsn?: number): Promise<SnapshotJson> {
  const { checkpointLsn, pageCount, timestampMs, ...wire } = await volume.snapshot(lsn);
  return {
    vid: textOf(volume.vid),
    cid: textOf(Uint8Array.fromHex(wire.cid)),
    lsn: wire.lsn,
    checkpointLsn,
    pageCount,
    timestamp: new Date(timestampMs).toISOString(),
  };
}

bounded("a volume made by POST has an empty LSN 1 and takes commits", async () => {
  const { status, headers, json } = await request("/v1/volumes", { method: "POST" });
  assert.equal(status, 201);
  const made = json as unknown as SnapshotJson;
  assert.equal(headers.get("location"), `/v1/volumes/${made.vid}`);
  assert.deepEqual([made.lsn, made.checkpointLsn, made.pageCount], [1, 1, 0]);
  const volume = new TestVolume(server.to, decodeBase58(made.vid));
  assert.deepEqual(made, await expected(volume));
  assert.equal((await volume.push(1, { 1: "one" })).lsn, 2);
});

bounded("a volume is made for the client that is named", async () => {
  const cid = textOf(newId("client"));
  const made = await got("/v1/volumes", { method: "POST", body: JSON.stringify({ cid }) });
  assert.equal(made.cid, cid);
  const bodies: [string, RegExp][] = [
    ["{", /JSON/],
    ["[1", /JSON/],
    ["7", /JSON/],
    [JSON.stringify({ cid: 7 }), /cid/],
    [JSON.stringify({ cid: "x" }), /client id/],
    [JSON.stringify({ cid: made.vid }), /client id/],
    ["x".repeat(100_000), /limit/],
  ];
  for (const [body, detail] of bodies) {
    await problem("/v1/volumes", 400, detail, { method: "POST", body });
  }
});

bounded("a volume is shown as the wire has it", async () => {
  const volume = new TestVolume(server.to);
  const path = `/v1/volumes/${textOf(volume.vid)}`;
  for (const route of [path, `${path}/snapshot`, `${path}/log`, `${path}/snapshot?at=1`]) {
    await problem(route, 404, /volume/);
  }
  await volume.push(undefined, { 1: "one" });
  await volume.push(1, { 2: "two" }, 7);
  assert.deepEqual(await got(path), await expected(volume));
  assert.deepEqual(await got(`${path}/snapshot`), await expected(volume));
  for (const lsn of [1, 2]) {
    assert.deepEqual(await got(`${path}/snapshot?at=${lsn}`), await expected(volume, lsn));
  }
  await problem(`${path}/snapshot?at=3`, 404, /LSN 3/);
});

bounded("an id or a moment that is none is malformed", async () => {
  const volume = new TestVolume(server.to);
  await volume.commit();
  for (const id of ["x", textOf(newId("segment")), "0".repeat(22), `${textOf(volume.vid)}1`]) {
    for (const rest of ["", "/snapshot", "/log"]) {
      await problem(`/v1/volumes/${id}${rest}`, 400, /volume id/);
    }
  }
  const moments = [
    "0",
    "-1",
    "1.5",
    "yesterday",
    "2h3",
    "2 h",
    "2026-01-01",
    "99999999999999999999",
    "",
  ];
  for (const at of moments) {
    await problem(
      `/v1/volumes/${textOf(volume.vid)}/snapshot?at=${encodeURIComponent(at)}`,
      400,
      /./,
    );
  }
});

bounded("a snapshot is found by time, absolute and relative", async () => {
  let nowMs = Date.UTC(2026, 4, 1, 12);
  const clock = { now: () => nowMs, monotonic: () => performance.now() };
  await using dated = await openServer({ clock });
  const volume = new TestVolume(dated.to);
  const startMs = nowMs;
  // one commit an hour, the third at the same moment as the second
  for (
    const [base, waitMs] of [[undefined, HOUR_MS], [1, 0], [2, HOUR_MS], [3, HOUR_MS]] as const
  ) {
    await volume.push(base, { 1: `on ${base}` });
    nowMs += waitMs;
  }
  const path = `/v1/volumes/${textOf(volume.vid)}/snapshot`;
  const lsnAt = async (at: string): Promise<number> =>
    (await got(`${path}?at=${encodeURIComponent(at)}`, {}, dated)).lsn;
  const time = (ms: number) => new Date(ms).toISOString();
  assert.equal(await lsnAt(time(startMs)), 1);
  assert.equal(await lsnAt(time(startMs + HOUR_MS - 1)), 1);
  assert.equal(await lsnAt(time(startMs + HOUR_MS)), 3);
  assert.equal(await lsnAt(time(startMs + 90 * 60 * SECOND_MS)), 3);
  assert.equal(await lsnAt(time(startMs + 2 * HOUR_MS)), 4);
  assert.equal(await lsnAt(time(startMs + 900 * HOUR_MS)), 4);
  assert.equal(await lsnAt("2026-05-01T15:00:00+02:00"), 3);
  assert.equal(await lsnAt("3h"), 1);
  assert.equal(await lsnAt("121m"), 1);
  assert.equal(await lsnAt("2h"), 3);
  assert.equal(await lsnAt("3601s"), 3);
  assert.equal(await lsnAt("1h"), 4);
  assert.equal(await lsnAt("0s"), 4);
  await problem(`${path}?at=${encodeURIComponent(time(startMs - 1))}`, 404, /before/, {}, dated);
  await problem(`${path}?at=7d`, 404, /before/, {}, dated);
});

bounded("a clock that steps back does not put history out of order", async () => {
  let nowMs = Date.UTC(2026, 4, 1, 12);
  const clock = { now: () => nowMs, monotonic: () => performance.now() };
  await using dated = await openServer({ clock });
  const volume = new TestVolume(dated.to);
  const first = await volume.commit();
  nowMs -= HOUR_MS;
  const second = await volume.commit({ base: 1 });
  assert.equal(second.timestampMs, first.timestampMs);
  nowMs += 2 * HOUR_MS;
  assert.equal((await volume.commit({ base: 2 })).timestampMs, first.timestampMs + HOUR_MS);
});

bounded("volumes are listed in order, page by page, and by prefix", async () => {
  await using fresh = await openServer();
  assert.deepEqual(await got<VolumesJson>("/v1/volumes", {}, fresh), { volumes: [], next: null });
  const volumes = range(1, 25).map(() => new TestVolume(fresh.to));
  for (const volume of volumes) await volume.commit({ pageCount: 3 });
  const ids = volumes.map(({ vid }) => textOf(vid)).sort();
  const vidsOf = ({ volumes }: VolumesJson): string[] => volumes.map(({ vid }) => vid);
  const list = (query = "") => got<VolumesJson>(`/v1/volumes${query}`, {}, fresh);
  const all = await list();
  assert.deepEqual(vidsOf(all), ids);
  assert.equal(all.next, null);
  const shown = volumes.find(({ vid }) => textOf(vid) === ids[4]);
  assert.deepEqual(all.volumes[4], await expected(shown ?? volumes[0]));
  const seen: string[] = [];
  for (let after: string | null = ""; after !== null;) {
    const page: VolumesJson = await list(`?limit=10${after && `&after=${after}`}`);
    assert.ok(page.volumes.length <= 10);
    seen.push(...vidsOf(page));
    after = page.next;
  }
  assert.deepEqual(seen, ids);
  for (const prefix of [ids[3].slice(0, 12), ids[3], ids[3].slice(0, 1), "zzz"]) {
    const wanted = ids.filter((id) => id.startsWith(prefix));
    assert.deepEqual(vidsOf(await list(`?prefix=${prefix}`)), wanted);
  }
  // a page that ends with the last row says so
  assert.equal((await list("?limit=25")).next, null);
  assert.equal((await list("?limit=24")).next, ids[23]);
});

bounded("a log is listed page by page", async () => {
  const volume = new TestVolume(server.to);
  for (const base of [undefined, ...range(1, 24)]) {
    await volume.push(base, { 1: "x", [(base ?? 0) + 10]: "y" });
  }
  const path = `/v1/volumes/${textOf(volume.vid)}/log`;
  const all = await got<LogJson>(path);
  assert.deepEqual(all.commits.map(({ lsn }) => lsn), range(1, 25));
  assert.equal(all.next, null);
  const { segments, pagesChanged, ...snapshot } = all.commits[3];
  assert.deepEqual(snapshot, await expected(volume, 4));
  assert.equal(pagesChanged, 2);
  const [{ segments: [wire] }] = await volume.pullCommits(4, 4);
  assert.deepEqual(segments, [{ sid: textOf(wire.sid), pages: 2 }]);
  const seen: number[] = [];
  for (let from: number | null = 1; from !== null;) {
    const page: LogJson = await got<LogJson>(`${path}?from=${from}&limit=10`);
    assert.ok(page.commits.length <= 10);
    seen.push(...page.commits.map(({ lsn }) => lsn));
    from = page.next;
  }
  assert.deepEqual(seen, range(1, 25));
  assert.deepEqual((await got<LogJson>(`${path}?from=26`)).commits, []);
});

bounded("a limit or a place to go on from that is none is malformed", async () => {
  const volume = new TestVolume(server.to);
  await volume.commit();
  const log = `/v1/volumes/${textOf(volume.vid)}/log`;
  for (const limit of ["0", "-1", "1001", "x", "1.5", "", "9999999999"]) {
    await problem(`/v1/volumes?limit=${limit}`, 400, /limit/);
    await problem(`${log}?limit=${limit}`, 400, /limit/);
  }
  for (const from of ["0", "-1", "x", ""]) await problem(`${log}?from=${from}`, 400, /LSN|from/);
  await problem("/v1/volumes?after=x", 400, /volume id/);
  await problem("/v1/volumes?prefix=0", 400, /prefix/);
});

bounded("other methods and other paths are refused in kind", async () => {
  await problem("/v1/volumes", 405, /GET, POST/, { method: "DELETE" });
  await problem(`/v1/volumes/${textOf(newId("volume"))}/log`, 405, /GET/, { method: "POST" });
  await problem("/v1/none", 404, /no such route/);
  await problem("/", 404, /no such route/);
});
