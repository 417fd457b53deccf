import assert from "node:assert/strict";
import fc from "fast-check";
import type { VolumeId } from "../core/gid.ts";
import { type Lsn, toLsn } from "../core/lsn.ts";
import { toPageCount } from "../core/page.ts";
import { PageSet } from "../core/page_set.ts";
import { isGraftError } from "../core/errors.ts";
import type { CommitRecord } from "../log/commit_log.ts";
import { Line } from "./_testing.ts";
import { VolumeIndex } from "./volume_index.ts";

function pagesAt(index: VolumeIndex, lsn: number, wanted: readonly number[]): Map<number, string> {
  const located = index.locate(Uint32Array.from(wanted), toLsn(lsn));
  return new Map(
    Array.from({ length: located.count }, (_, i) => [
      located.indexes[i],
      `${index.segment(located.segments[i])}#${located.ranks[i]}`,
    ]),
  );
}

function indexOf(records: readonly CommitRecord[]): VolumeIndex {
  const index = new VolumeIndex(records[0].vid);
  for (const record of records) index.apply(record);
  return index;
}

Deno.test("VolumeIndex finds the newest version at or below the LSN", () => {
  const line = new Line();
  const first = line.commit(10, [1, 2, 3]);
  const second = line.commit(10, [2, 9]);
  const index = indexOf(line.records);
  const at1 = pagesAt(index, 1, [1, 2, 3, 9]);
  assert.deepEqual([...at1], [
    [1, `${first.segments[0].sid}#0`],
    [2, `${first.segments[0].sid}#1`],
    [3, `${first.segments[0].sid}#2`],
  ]);
  const at2 = pagesAt(index, 2, [1, 2, 3, 9]);
  assert.equal(at2.get(2), `${second.segments[0].sid}#0`);
  assert.equal(at2.get(9), `${second.segments[0].sid}#1`);
  assert.equal(at2.get(1), `${first.segments[0].sid}#0`);
});

Deno.test("VolumeIndex keeps cut-off pages gone when the volume grows again", () => {
  const line = new Line();
  line.commit(10, [1, 5, 10]);
  line.commit(4, []);
  line.commit(10, []);
  const rewritten = line.commit(10, [10]);
  const index = indexOf(line.records);
  assert.deepEqual([...pagesAt(index, 1, [1, 5, 10]).keys()], [1, 5, 10]);
  assert.deepEqual([...pagesAt(index, 2, [1, 5, 10]).keys()], [1]);
  assert.deepEqual([...pagesAt(index, 3, [1, 5, 10]).keys()], [1]);
  assert.deepEqual([...pagesAt(index, 4, [1, 5, 10]).keys()], [1, 10]);
  assert.equal(pagesAt(index, 4, [10]).get(10), `${rewritten.segments[0].sid}#0`);
});

Deno.test("VolumeIndex reports cut-off pages as changed", () => {
  const line = new Line();
  line.commit(10, [1]);
  line.commit(7, [2]);
  line.commit(12, []);
  const index = indexOf(line.records);
  const changes = (start: number, end: number) => [
    ...index.changes({ start: toLsn(start), end: toLsn(end) }),
  ];
  assert.deepEqual(changes(1, 1), [1]);
  assert.deepEqual(changes(2, 2), [2, 8, 9, 10]);
  assert.deepEqual(changes(1, 3), [1, 2, 8, 9, 10]);
  assert.deepEqual(changes(3, 3), []);
  assert.equal(index.pageCountMax, 12);
});

Deno.test("VolumeIndex remembers a few unions and still answers the others", () => {
  const line = new Line();
  for (let page = 1; page <= 20; page++) line.commit(20, [page]);
  const index = indexOf(line.records);
  for (let round = 0; round < 2; round++) {
    for (let start = 1; start <= 20; start++) {
      const expected = Array.from({ length: 21 - start }, (_, i) => start + i);
      assert.deepEqual([...index.changes({ start: toLsn(start), end: toLsn(20) })], expected);
    }
  }
});

Deno.test("VolumeIndex remembers no large union, and counts what it remembers", () => {
  const line = new Line();
  line.commit(2 ** 28, []);
  line.commit(0, []);
  line.commit(10, [1]);
  const index = indexOf(line.records);
  const before = index.memoryBytes;
  const every = { start: toLsn(1), end: toLsn(3) };
  assert.ok(index.changes(every).bytes.length > 1_000_000);
  assert.equal(index.memoryBytes, before);
  index.changes({ start: toLsn(3), end: toLsn(3) });
  assert.ok(index.memoryBytes > before);
});

Deno.test("VolumeIndex refuses a record that does not follow", () => {
  const line = new Line();
  line.commit(1, [1]);
  line.commit(1, [1]);
  line.commit(1, [1]);
  const [first, second, third] = line.records;
  const damaged = (records: readonly CommitRecord[]) =>
    assert.throws(() => indexOf(records), (error) => isGraftError(error, "damaged"));
  damaged([first, third]);
  damaged([second]);
  damaged([first, { ...second, parentDigest: second.digest }]);
  damaged([first, first]);
});

Deno.test("VolumeIndex takes a few hundred bytes a commit, and counts them", () => {
  const line = new Line();
  const bytesOf = (commits: number) => {
    while (line.records.length < commits) line.commit(1000, [line.records.length % 900 + 1]);
    return indexOf(line.records.slice(0, commits)).memoryBytes;
  };
  const perCommit = (bytesOf(4000) - bytesOf(1000)) / 3000;
  assert.ok(perCommit > 250 && perCommit < 450, `${perCommit} bytes a commit`);
});

Deno.test("VolumeIndex has every record as it was applied", () => {
  const line = new Line();
  for (let i = 1; i <= 300; i++) {
    // from a few bytes to more than a piece of the room for records
    const pages = i % 50 === 0 ? Array.from({ length: 30_000 }, (_, k) => 2 * k + i) : [i, 2 * i];
    line.commit(100_000, pages);
  }
  const index = indexOf(line.records);
  for (const record of line.records) {
    const { segments, ...rest } = index.record(record.lsn);
    const { segments: expected, ...others } = record;
    assert.deepEqual(rest, others);
    assert.deepEqual(segments.map(({ sid }) => sid), expected.map(({ sid }) => sid));
    assert.ok(segments.every(({ pageSet }, i) => pageSet.equals(expected[i].pageSet)));
  }
});

/** The oracle: every version of every page in plain maps. */
class Model {
  readonly states: Map<number, string>[] = [new Map()];

  apply(record: CommitRecord): void {
    const next = new Map(this.states.at(-1));
    for (const pageIdx of [...next.keys()]) if (pageIdx > record.pageCount) next.delete(pageIdx);
    for (const { sid, pageSet } of record.segments) {
      let rank = 0;
      for (const pageIdx of pageSet) next.set(pageIdx, `${sid}#${rank++}`);
    }
    this.states.push(next);
  }
}

Deno.test("VolumeIndex agrees with plain maps on random lines", () => {
  const commit = fc.record({
    pageCount: fc.nat(40),
    pages: fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: 6 }),
  });
  fc.assert(fc.property(fc.array(commit, { minLength: 1, maxLength: 30 }), (commits) => {
    const line = new Line();
    const model = new Model();
    for (const { pageCount, pages } of commits) {
      model.apply(line.commit(pageCount, pages.filter((page) => page <= pageCount)));
    }
    const index = indexOf(line.records);
    const every = Array.from({ length: 40 }, (_, i) => i + 1);
    for (let lsn = 1; lsn <= commits.length; lsn++) {
      const expected = [...model.states[lsn]].sort(([a], [b]) => a - b);
      assert.deepEqual([...pagesAt(index, lsn, every)], expected);
      for (let start = 1; start <= lsn; start++) {
        // whoever holds the state before `start` and refetches what changed must arrive at this state
        const changed = index.changes({ start: start as Lsn, end: lsn as Lsn });
        for (const page of every) {
          if (model.states[start - 1].get(page) !== model.states[lsn].get(page)) {
            assert.ok(changed.has(page), `page ${page} changed in ${start}..${lsn}`);
          }
        }
      }
    }
  }));
});

Deno.test("VolumeIndex knows its volume", () => {
  const line = new Line();
  const record = line.commit(1, [1]);
  assert.equal(indexOf(line.records).vid, record.vid);
  assert.throws(() => new VolumeIndex("other" as VolumeId).apply(record), /another volume/);
  assert.equal(indexOf(line.records).record(toLsn(1)), record);
  assert.equal(record.pageCount, toPageCount(1));
  assert.equal(record.segments[0].pageSet.equals(PageSet.from([1])), true);
});
