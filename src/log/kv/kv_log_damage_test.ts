// What a log in a key-value store makes of values that are not what it wrote.

import { deepEqual, equal } from "node:assert/strict";
import { toLsn } from "../../core/lsn.ts";
import {
  commit,
  headOf,
  newVolume,
  openInMemory,
  openOver,
  recordsOf,
  rejectsWith,
  sparseSet,
  use,
} from "../_testing.ts";
import { encodeValue } from "../codec/sealed_value.ts";
import { recordKey } from "./_keys.ts";
import { keysBelow } from "./_testing.ts";

Deno.test("a record without all of its parts is damaged, not short", async () => {
  const { kv, log } = await openInMemory();
  const vid = newVolume();
  await commit(log, vid, { segments: [use(sparseSet(150_000))] });
  const [first, second] = await keysBelow(kv, "chunk");
  const { value } = await kv.get<Uint8Array>(second);
  await kv.delete(second);
  await rejectsWith(
    log.record(vid, toLsn(1)),
    "damaged",
    /record\/.*\/1": parts of it are missing/,
  );
  await rejectsWith(recordsOf(log, vid, 1, 1), "damaged");
  await kv.set(second, Uint8Array.of(...value!, 7));
  await rejectsWith(log.record(vid, toLsn(1)), "damaged");
  await kv.set(second, value);
  await kv.set(first, "text");
  await rejectsWith(log.record(vid, toLsn(1)), "damaged");
  await log.close();
});

Deno.test("damage names its key, and stays where it is", async () => {
  const { kv, log } = await openInMemory({ exclusive: false });
  const [vid, other] = [newVolume(), newVolume()];
  await commit(log, vid);
  await commit(log, vid);
  const record = await commit(log, other);
  const key = recordKey(vid, toLsn(2)) as Deno.KvKey;
  const value = (await kv.get<Uint8Array>(key)).value!;
  value[30] ^= 4;
  await kv.set(key, value);
  await kv.set(["head", vid], Uint8Array.of(1, 2, 3));
  await rejectsWith(log.record(vid, toLsn(2)), "damaged", new RegExp(`"record/${vid}/2"`));
  await rejectsWith(log.head(vid), "damaged", new RegExp(`"head/${vid}"`));
  equal((await recordsOf(log, vid, 1, 1)).length, 1);
  deepEqual((await log.head(other)).head, headOf(record));
  await log.close();
});

Deno.test("a gap ends a range early", async () => {
  const { kv, log } = await openInMemory();
  const vid = newVolume();
  for (let i = 0; i < 6; i++) await commit(log, vid);
  await kv.delete(recordKey(vid, toLsn(4)) as Deno.KvKey);
  deepEqual((await recordsOf(log, vid, 2, 6)).map(({ lsn }) => lsn), [2, 3]);
  deepEqual(await recordsOf(log, vid, 4, 6), []);
  await log.close();
});

Deno.test("a store that holds something else is refused, and left as it was", async () => {
  for (const key of [["users", 1], [7], [new Uint8Array(2)], [false, 1]]) {
    const kv = await Deno.openKv(":memory:");
    await kv.set(key, "somebody's");
    await rejectsWith(openOver(kv), "invalid", /something else/);
    equal((await keysBelow(kv)).length, 1);
    kv.close();
  }
});

Deno.test("a log of another format, or with a damaged name, is refused", async () => {
  const { kv, log } = await openInMemory();
  const value = (await kv.get<Uint8Array>(["store"])).value!;
  equal(value.length, 1 + 1 + 16 + 8);
  await kv.set(["store"], value.slice(0, 20));
  await rejectsWith(openOver(kv), "damaged", /"store"/);
  const newer = encodeValue("store", (writer) => {
    writer.varint(2);
    writer.raw(new Uint8Array(40));
  });
  await kv.set(["store"], newer);
  await rejectsWith(openOver(kv), "invalid", /it has format 2, and this program reads format 1/);
  await kv.set(["store"], value);
  equal((await openOver(kv)).storeId, log.storeId);
  await log.close();
});
