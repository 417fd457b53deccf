import assert from "node:assert/strict";
import { GraftError } from "../../core/errors.ts";
import { newGid, type VolumeId } from "../../core/gid.ts";
import { systemClock } from "../../core/clock.ts";
import { systemRandom } from "../../core/random.ts";
import { WRITE_PART_PAGES } from "../../core/limits.ts";
import { decodeWritePagesResponse, encodeWritePagesRequest } from "../../wire/messages.ts";
import { MEDIA_TYPE, PATHS } from "../../wire/protocol.ts";
import { call, FakePagestore, graftErr, testApp, VID } from "../_testing.ts";
import { FixedClock, KEY, tokenWith } from "../auth/_testing.ts";
import { Authenticator } from "../auth/authenticator.ts";

function requestOf(count: number, vid: VolumeId = VID): Uint8Array<ArrayBuffer> {
  const indexes = Uint32Array.from({ length: count }, (_, at) => at + 1);
  const page = new Uint8Array(4096).fill(5);
  return encodeWritePagesRequest(vid, { indexes, page: () => page });
}

/** A body in chunks, without a length known beforehand. */
function chunked(bytes: Uint8Array<ArrayBuffer>, chunkBytes = 60_000): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at += chunkBytes));
    },
  });
}

Deno.test("write_pages answers the segments once they are finished", async () => {
  const pagestore = new FakePagestore();
  const body = requestOf(3);
  const response = await call(testApp({ pagestore }), PATHS.writePages, body, {
    "content-length": String(body.length),
  });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), MEDIA_TYPE);
  const [use] = decodeWritePagesResponse(new Uint8Array(await response.arrayBuffer()));
  assert.deepEqual([...use.pageSet], [1, 2, 3]);
  assert.equal(pagestore.expectedBytes, body.length);
  assert.deepEqual([pagestore.finished, pagestore.aborted], [1, 1]);
});

Deno.test("write_pages hands large bodies over in parts, and waits when it is told to", async () => {
  const pagestore = new FakePagestore();
  let waiting = 0;
  pagestore.onAdd = async () => {
    assert.equal(++waiting, 1);
    await new Promise((resolve) => setTimeout(resolve, 1));
    waiting--;
  };
  const count = 2 * WRITE_PART_PAGES + 100;
  const response = await call(testApp({ pagestore }), PATHS.writePages, chunked(requestOf(count)));
  assert.equal(response.status, 200);
  const counts = pagestore.parts.map((part) => part.count);
  assert.equal(counts.length, 3);
  assert.equal(counts.reduce((sum, part) => sum + part), count);
  assert(counts[0] >= WRITE_PART_PAGES && counts[0] < WRITE_PART_PAGES + 20, String(counts));
  assert.equal(pagestore.expectedBytes, undefined);
});

Deno.test("write_pages registers nothing of a request that turns out to be wrong", async () => {
  const good = requestOf(WRITE_PART_PAGES + 100);
  const cases: [Uint8Array<ArrayBuffer>, RegExp][] = [
    [good.slice(0, -1), /write pages request/],
    [new Uint8Array([...good.slice(0, -4096), 0xff]), /write pages request/],
    [new Uint8Array(0), /empty/],
    [requestOf(0), /pages.*missing/],
  ];
  for (const [body, message] of cases) {
    const pagestore = new FakePagestore();
    const answer = await graftErr(
      await call(testApp({ pagestore }), PATHS.writePages, chunked(body)),
    );
    assert.deepEqual([answer.status, answer.code, answer.mediaType], [400, 1, MEDIA_TYPE]);
    assert.match(answer.message, message);
    assert.deepEqual([pagestore.finished, pagestore.aborted], [0, 1]);
  }
});

Deno.test("write_pages counts a body without a length, and names the limit", async () => {
  const pagestore = new FakePagestore();
  const app = testApp({ pagestore, bodyLimitBytes: 100_000 });
  const body = requestOf(100);
  const byCounting = await graftErr(await call(app, PATHS.writePages, chunked(body)));
  assert.deepEqual([byCounting.status, byCounting.code], [400, 1]);
  assert.match(byCounting.message, /limit is 100000 bytes/);
  assert.equal(pagestore.aborted, 1);
  const headers = { "content-length": String(body.length) };
  const byHeader = await graftErr(await call(app, PATHS.writePages, body, headers));
  assert.match(byHeader.message, new RegExp(`${body.length} bytes, the limit is 100000 bytes`));
  assert.equal(pagestore.aborted, 1, "a write was opened although the length was known");
});

Deno.test("write_pages stops reading where it refuses", async () => {
  let pulled = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled++;
      controller.enqueue(pulled === 1 ? requestOf(1) : new Uint8Array(1000).fill(0xff));
    },
  });
  const answer = await graftErr(await call(testApp(), PATHS.writePages, endless));
  assert.equal(answer.status, 400);
  assert(pulled < 10, `${pulled} chunks were read`);
});

Deno.test("write_pages checks the right to write before any page is stored", async () => {
  const mine = newGid("volume", systemClock, systemRandom);
  const pagestore = new FakePagestore();
  const app = testApp({ pagestore, authenticator: new Authenticator([KEY], new FixedClock()) });
  const write = (token: string, vid: VolumeId) =>
    call(app, PATHS.writePages, chunked(requestOf(WRITE_PART_PAGES + 100, vid)), {
      authorization: `Bearer ${token}`,
    });
  const forMine = tokenWith({ volumes: new Set([mine]), can: new Set(["write"]) });
  const other = await graftErr(await write(forMine, VID));
  assert.deepEqual([other.status, other.code], [403, 4]);
  assert.match(other.message, /other volumes/);
  assert.deepEqual(pagestore.parts, []);
  const reader = await graftErr(await write(tokenWith({ can: new Set(["read"]) }), mine));
  assert.match(reader.message, /does not allow to write/);
  assert.equal((await write(forMine, mine)).status, 200);
});

Deno.test("write_pages passes on that the server is full", async () => {
  const pagestore = new FakePagestore();
  pagestore.openWrite = () => {
    throw new GraftError("unavailable", "Cannot write pages: memory is full");
  };
  const response = await call(testApp({ pagestore }), PATHS.writePages, chunked(requestOf(1)));
  assert.equal(response.headers.get("retry-after"), "1");
  const { status, code } = await graftErr(response);
  assert.deepEqual([status, code], [503, 101]);
});

Deno.test("write_pages lets go when storing fails, in a part or at the end", async () => {
  const fail = () => Promise.reject(new GraftError("unavailable", "Cannot put: the disk is full"));
  for (const name of ["onAdd", "onFinish"] as const) {
    const pagestore = new FakePagestore();
    pagestore[name] = fail;
    const body = chunked(requestOf(WRITE_PART_PAGES + 100));
    const answer = await graftErr(await call(testApp({ pagestore }), PATHS.writePages, body));
    assert.deepEqual([answer.status, answer.code], [503, 101], name);
    assert.deepEqual([pagestore.finished, pagestore.aborted], [0, 1], name);
  }
});
