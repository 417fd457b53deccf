import assert from "node:assert/strict";
import { digestOf } from "../../core/content_digest.ts";
import { isGraftError } from "../../core/errors.ts";
import { clientIdFromName, parseGid } from "../../core/gid.ts";
import { toLsn } from "../../core/lsn.ts";
import { toPageCount } from "../../core/page.ts";
import { PageSet } from "../../core/page_set.ts";
import { type Changes, changesFromJson, changesToJson } from "./changes_json.ts";
import { acceptPages, acceptsZstd, PAGES_MEDIA_TYPE } from "./media_types.ts";
import { snapshotFromJson, snapshotToJson } from "./snapshot_json.ts";
import { decodeVolumeEvent, encodeVolumeEvent, type VolumeEvent } from "./volume_event.ts";

const VID = parseGid("volume", "GonwTRj2SohJzYLLjD9nSq");
const SNAPSHOT = {
  vid: VID,
  cid: clientIdFromName("test"),
  lsn: toLsn(2 ** 40),
  checkpointLsn: toLsn(3),
  pageCount: toPageCount(17),
  timestampMs: 1_795_375_314_234,
  digest: digestOf(Uint8Array.of(1)),
};
const GRAFT = PageSet.from([1, 5, 70_000]);

function overJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

Deno.test("a snapshot comes back as it was", () => {
  assert.deepEqual(snapshotFromJson(overJson(snapshotToJson(SNAPSHOT))), SNAPSHOT);
});

Deno.test("a snapshot's fields are checked", () => {
  const json = snapshotToJson(SNAPSHOT);
  const wrong = { vid: json.cid, cid: 7, lsn: 0, checkpointLsn: "1", pageCount: -1 };
  for (const [name, value] of Object.entries({ ...wrong, timestamp: "soon", digest: "00" })) {
    assert.throws(() => snapshotFromJson({ ...json, [name]: value }), (error) => {
      assert.ok(isGraftError(error, "invalid"), name);
      assert.match(error.message, new RegExp(`"${name}"`));
      return true;
    });
  }
  for (const value of [null, 7, "x", undefined]) {
    assert.throws(() => snapshotFromJson(value), /no JSON object/);
  }
});

Deno.test("changes come back as they were", () => {
  const none = { snapshot: SNAPSHOT, range: undefined, graft: undefined, sinceDigest: undefined };
  const some: Changes = {
    snapshot: SNAPSHOT,
    range: { start: toLsn(4), end: SNAPSHOT.lsn },
    graft: GRAFT,
    sinceDigest: digestOf(Uint8Array.of(2)),
  };
  for (const changes of [none, some]) {
    const back = changesFromJson(overJson(changesToJson(changes)));
    assert.deepEqual({ ...back, graft: back.graft?.bytes }, {
      ...changes,
      graft: changes.graft?.bytes,
    });
  }
  const json = changesToJson(some);
  assert.throws(() => changesFromJson({ ...json, graft: "!" }), /"graft" does not decode/);
  assert.throws(() => changesFromJson({ ...json, graft: "AAAA" }), /"graft" does not decode/);
});

function eventOverWire(event: VolumeEvent): VolumeEvent | undefined {
  const lines = encodeVolumeEvent(event).split("\n");
  assert.equal(lines.length, 3);
  assert.equal(lines[2], "");
  return decodeVolumeEvent(lines[0].slice("event: ".length), lines[1].slice("data: ".length));
}

Deno.test("events come back as they were", () => {
  const { checkpointLsn: _, ...head } = SNAPSHOT;
  const events: VolumeEvent[] = [
    { type: "resync" },
    { type: "deleted", vid: VID },
    { type: "commit", ...head, since: undefined, graft: undefined },
  ];
  for (const event of events) assert.deepEqual(eventOverWire(event), event);
  const back = eventOverWire({ type: "commit", ...head, since: 4, graft: GRAFT });
  assert.ok(back?.type === "commit" && back.graft?.equals(GRAFT) && back.since === 4);
});

Deno.test("an event of an unknown type is passed over, a malformed one is not", () => {
  assert.equal(decodeVolumeEvent("later", "?"), undefined);
  assert.throws(() => decodeVolumeEvent("deleted", "?"), /not JSON/);
  assert.throws(() => decodeVolumeEvent("commit", "{}"), /"vid"/);
});

Deno.test("compressed pages are for those who say that they take them", () => {
  assert.ok(acceptsZstd(acceptPages("zstd")));
  assert.ok(acceptsZstd(`text/html, ${PAGES_MEDIA_TYPE} ; codec=zstd`));
  for (const accept of [null, "*/*", acceptPages("raw"), "text/html;codec=zstd"]) {
    assert.ok(!acceptsZstd(accept), String(accept));
  }
});
