// Malformed requests: each is a 400 that says what is wrong.

import assert from "node:assert/strict";
import { accepted, call, refused } from "./_support/calls.ts";
import { GOOD, IDS } from "./_support/good_requests.ts";
import {
  commitRequest,
  newId,
  page,
  pageField,
  PATH,
  snapshotRequest,
  writeRequest,
} from "./_support/messages.ts";
import { type Bytes, bytes, join, uint, varint } from "./_support/protobuf.ts";
import { range } from "./_support/splinter.ts";
import { bounded, serverOfFile } from "./_support/server.ts";
import { TestVolume } from "./_support/volume.ts";

const server = serverOfFile();

const { vid, cid, sid, one } = IDS;
const NOTHING = new Uint8Array(0);

/** [path, body, what the message names] */
type Case = readonly [string, Bytes, RegExp];

async function refuseAll(cases: Iterable<Case>): Promise<void> {
  for (const [path, body, message] of cases) {
    refused(await call(server.to, path, body), "invalid", message);
  }
}

const each = (make: (path: string, good: Bytes) => Case): Case[] =>
  Object.entries(GOOD).map(([path, good]) => make(path, good));

bounded("an empty body is refused", async () => {
  await refuseAll(each((path) => [path, NOTHING, /body is empty/]));
  for (const path of Object.keys(GOOD)) {
    refused(await call(server.to, path, null), "invalid", /body is empty/);
  }
});

bounded("a wrong content type is refused, parameters and case are not", async () => {
  const volume = new TestVolume(server.to);
  await volume.commit();
  for (const path of Object.keys(GOOD)) {
    for (const type of ["application/json", "application/x-protobuf-2", "text/plain", "x"]) {
      const answer = await call(server.to, path, GOOD[path], { "content-type": type });
      assert.ok(refused(answer, "invalid", /content type/).includes(type));
    }
    const without = await call(server.to, path, GOOD[path], { "content-type": "" });
    refused(without, "invalid", /content type/);
  }
  for (const type of ["Application/X-Protobuf", "application/x-protobuf; charset=utf-8"]) {
    const headers = { "content-type": type };
    accepted(await call(server.to, PATH.snapshot, snapshotRequest(volume.vid), headers));
  }
});

bounded("a message cut off anywhere is refused", async () => {
  for (const [path, good] of Object.entries(GOOD)) {
    // a page's bytes are one length-delimited field, so cutting within them is one case of many
    const cuts = range(1, good.length - 1).filter((cut) => cut < 90 || cut > good.length - 90);
    for (const cut of cuts) {
      const answer = await call(server.to, path, good.slice(0, cut));
      // what is cut between two fields is a shorter message, which may still be a whole one
      if (answer.status === 404 || answer.status === 409 || answer.status === 200) {
        assert.ok(isFieldBoundary(good, cut), `${path} cut at ${cut} was taken`);
      } else refused(answer, "invalid");
    }
  }
});

bounded("ids of another kind, of a wrong length, or missing are refused", async () => {
  const wrongIds: [Bytes, RegExp][] = [
    [newId("segment"), /vid.*0xa0/],
    [newId("client"), /vid.*0xc0/],
    [new Uint8Array(16), /vid.*0x00/],
    [new Uint8Array(16).fill(255), /vid.*0xff/],
    [vid.slice(0, 15), /vid.*15 bytes/],
    [join(vid, new Uint8Array(1)), /vid.*17 bytes/],
    [NOTHING, /vid/],
  ];
  const rest = (good: Bytes) => good.slice(18);
  for (const [wrong, message] of wrongIds) {
    await refuseAll(each((path, good) => [path, join(bytes(1, wrong), rest(good)), message]));
  }
  await refuseAll(
    each((path, good) => [path, good.length > 18 ? rest(good) : NOTHING, /vid.*missing|empty/]),
  );
  await refuseAll([
    [PATH.commit, commitRequest({ vid, cid: vid, pageCount: 1 }), /cid.*0x80/],
    [PATH.commit, join(bytes(1, vid), uint(4, 1)), /cid.*missing/],
    [
      PATH.commit,
      commitRequest({ vid, cid, pageCount: 1, segments: [{ sid: cid, graft: one }] }),
      /sid.*0xc0/,
    ],
    [PATH.commit, join(commitRequest({ vid, cid, pageCount: 1 }), bytes(5, bytes(2, one))), /sid/],
    [
      PATH.commit,
      join(commitRequest({ vid, cid, pageCount: 1 }), bytes(5, bytes(1, sid))),
      /graft/,
    ],
  ]);
});

bounded("a field with another wire type is refused", async () => {
  await refuseAll([
    ...each((path): Case => [path, uint(1, 7), /vid.*wire type/]),
    [PATH.snapshot, join(bytes(1, vid), bytes(2, one)), /lsn.*wire type/],
    [PATH.readPages, join(bytes(1, vid), uint(2, 1), uint(3, 1)), /graft.*wire type/],
    [PATH.pullGraft, join(bytes(1, vid), uint(2, 1)), /range.*wire type/],
    [PATH.writePages, join(bytes(1, vid), uint(2, 1)), /pages.*wire type/],
    // groups and 32-bit numbers are in no message of the protocol
    [
      PATH.writePages,
      join(bytes(1, vid), varint(2 << 3 | 5), new Uint8Array(4)),
      /pages.*wire type/,
    ],
  ]);
});

bounded("pages of a wrong size are refused", async () => {
  for (const length of [0, 1, 4095, 4097, 8192]) {
    const body = join(writeRequest(vid, [[1, page("fine")]]), pageField(2, new Uint8Array(length)));
    const message = new RegExp(`pages\\[1\\]\\.data.* ${length} bytes.*4096|pages\\[1\\].*missing`);
    await refuseAll([[PATH.writePages, body, message]]);
  }
  const withoutData = join(bytes(1, vid), bytes(2, uint(1, 1)));
  await refuseAll([[PATH.writePages, withoutData, /pages\[0\]\.data.*missing/]]);
});

bounded("page index 0, a missing one, and one above the limit are refused", async () => {
  const fine = writeRequest(vid, [[1, page("fine")]]);
  await refuseAll([
    [PATH.writePages, join(fine, pageField(0, page("x"))), /pages\[1\]\.pageidx.*0/],
    [PATH.writePages, join(fine, bytes(2, bytes(2, page("x")))), /pages\[1\]\.pageidx.*missing/],
    [PATH.writePages, join(fine, pageField(2 ** 28 + 1, page("x"))), /pageidx.*268435457/],
    [PATH.writePages, join(fine, pageField(2n ** 32n, page("x"))), /pageidx/],
    [PATH.writePages, join(fine, pageField(2n ** 64n - 1n, page("x"))), /pageidx/],
  ]);
});

bounded("a duplicate page index is refused, also far apart in a large request", async () => {
  const twice = writeRequest(vid, [[5, page("a")], [6, page("b")], [5, page("a")]]);
  await refuseAll([[PATH.writePages, twice, /pageidx.* 5.*twice/]]);
  const many = range(1, 5000).map((idx) => [idx, page(`${idx}`)] as const);
  const far = join(writeRequest(vid, many), pageField(1, page("1")));
  await refuseAll([[PATH.writePages, far, /pages\[5000\]\.pageidx.* 1.*twice/]]);
});

bounded("a write without pages, or without its volume, is refused", async () => {
  await refuseAll([
    [PATH.writePages, bytes(1, vid), /pages.*missing/],
    [PATH.writePages, pageField(1, page("x")), /vid.*missing/],
  ]);
});

bounded("nothing of a refused write can be committed or read", async () => {
  const volume = new TestVolume(server.to);
  const pages = range(1, 9000).map((idx) => [idx, page(`${idx}`)] as const);
  const body = join(writeRequest(volume.vid, pages), pageField(9001, new Uint8Array(4095)));
  await refuseAll([[PATH.writePages, body, /pages\[9000\].*4095/]]);
  await volume.push(undefined, { 1: "one" }, 9001);
  assert.deepEqual(await volume.read(1, range(1, 1000)), { 1: "one" });
});

bounded("requests of other methods and to other paths are refused in kind", async () => {
  for (const path of Object.keys(GOOD)) {
    for (const method of ["GET", "PUT", "DELETE", "PATCH"]) {
      const response = await fetch(server.to.metastore + path, { method });
      await response.body?.cancel();
      assert.equal(response.status, 405, `${method} ${path}`);
      assert.equal(response.headers.get("allow"), "POST");
    }
  }
  for (
    const path of ["/metastore/v1/none", "/pagestore/v1/none", "/metastore/v2/commit", "/none"]
  ) {
    const answer = await call(server.to, path, GOOD[PATH.commit]);
    assert.equal(answer.status, 404);
  }
});

/** Whether the first `cut` bytes end with a whole field. */
function isFieldBoundary(message: Bytes, cut: number): boolean {
  let at = 0;
  while (at < cut) {
    const read = (): number => {
      let value = 0;
      for (let factor = 1;; factor *= 128) {
        const digit = message[at++];
        value += (digit & 127) * factor;
        if (digit < 128) return value;
      }
    };
    const wireType = read() & 7;
    const length = read();
    if (wireType === 2) at += length;
  }
  return at === cut;
}
