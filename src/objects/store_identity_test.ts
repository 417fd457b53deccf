import { deepEqual, equal, match, ok } from "node:assert/strict";
import { GraftError, isGraftError } from "../core/errors.ts";
import { rejectsWith, sampleBytes } from "./_testing.ts";
import { MemoryStore } from "./memory_store.ts";
import {
  IDENTITY_KEY,
  type LogIdentity,
  readIdentity,
  reconcileIdentity,
  STORE_FORMAT,
  writeIdentity,
} from "./store_identity.ts";

const NEW_LOG: LogIdentity = { name: "kv:/data/log.kv", storeId: "store-1", isNew: true };
const OLD_LOG: LogIdentity = { ...NEW_LOG, isNew: false };

async function storeOf(storeId: string): Promise<MemoryStore> {
  const objects = new MemoryStore();
  await writeIdentity(objects, { format: STORE_FORMAT, store: storeId });
  return objects;
}

async function storeWith(text: string | Uint8Array<ArrayBuffer>): Promise<MemoryStore> {
  const objects = new MemoryStore();
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  await objects.put(IDENTITY_KEY, bytes);
  return objects;
}

async function hintOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(() => undefined, (error) => error);
  ok(isGraftError(error), `not refused: ${error}`);
  return error.hint ?? "";
}

Deno.test("an identity is read as it was written", async () => {
  const objects = await storeOf("store-1");
  deepEqual(await readIdentity(objects), { format: 1, store: "store-1" });
});

Deno.test("an identity is plain JSON", async () => {
  const objects = await storeOf("store-1");
  const text = new TextDecoder().decode(await objects.get("graft.json"));
  equal(text, '{"format":1,"store":"store-1"}\n');
});

Deno.test("an object store without an identity has none", async () => {
  equal(await readIdentity(new MemoryStore()), undefined);
});

Deno.test("an identity is never replaced", async () => {
  const objects = await storeOf("store-1");
  await rejectsWith(writeIdentity(objects, { format: 1, store: "store-2" }), "conflict");
  equal((await readIdentity(objects))?.store, "store-1");
});

for (
  const [name, text] of [
    ["nothing", ""],
    ["half of it", '{"format":1,"sto'],
    ["no UTF-8", new Uint8Array([0x22, 0xff, 0x22])],
    ["null", "null"],
    ["a number", "1"],
    ["no format", '{"store":"store-1"}'],
    ["a format in words", '{"format":"one","store":"store-1"}'],
    ["no id", '{"format":1}'],
    ["an empty id", '{"format":1,"store":""}'],
    ["an id of other characters", '{"format":1,"store":"a/b"}'],
    ["an id that is too long", `{"format":1,"store":"${"a".repeat(65)}"}`],
  ] as const
) {
  Deno.test(`an identity that holds ${name} is damaged`, async () => {
    await rejectsWith(readIdentity(await storeWith(text)), "damaged", /"graft.json" of memory:/);
  });
}

Deno.test("an unknown format is refused, whatever else stands there", async () => {
  const objects = await storeWith('{"format":2,"shop":["anything"]}');
  await rejectsWith(readIdentity(objects), "invalid", /its format is 2, and this program knows 1/);
  await rejectsWith(reconcileIdentity(objects, NEW_LOG), "invalid");
  match(await hintOf(readIdentity(objects)), /newer/);
});

Deno.test("a new log and new objects become one store", async () => {
  const objects = new MemoryStore();
  await reconcileIdentity(objects, NEW_LOG);
  deepEqual(await readIdentity(objects), { format: 1, store: "store-1" });
});

Deno.test("a log and objects of one store go together, new or old", async () => {
  const objects = await storeOf("store-1");
  await reconcileIdentity(objects, OLD_LOG);
  await reconcileIdentity(objects, NEW_LOG);
});

Deno.test("an old log is refused on new objects, and they stay new", async () => {
  const objects = new MemoryStore();
  await rejectsWith(
    reconcileIdentity(objects, OLD_LOG),
    "invalid",
    /memory: with kv:\/data\/log.kv: the log is in use/,
  );
  match(await hintOf(reconcileIdentity(objects, OLD_LOG)), /new log/);
  equal(await readIdentity(objects), undefined);
});

Deno.test("a new log is refused on the objects of another", async () => {
  const objects = await storeOf("store-2");
  await rejectsWith(reconcileIdentity(objects, NEW_LOG), "invalid", /this log is new/);
  match(await hintOf(reconcileIdentity(objects, NEW_LOG)), /Name the log/);
});

Deno.test("an old log is refused on the objects of another", async () => {
  const objects = await storeOf("store-2");
  await rejectsWith(reconcileIdentity(objects, OLD_LOG), "invalid", /different stores/);
  match(await hintOf(reconcileIdentity(objects, OLD_LOG)), /used together/);
});

Deno.test("segments without an identity are refused, and nothing is claimed", async () => {
  const objects = new MemoryStore();
  await objects.put("segments/a", sampleBytes(10));
  await rejectsWith(reconcileIdentity(objects, NEW_LOG), "invalid", /no "graft.json"/);
  await rejectsWith(reconcileIdentity(objects, OLD_LOG), "invalid");
  equal(await readIdentity(objects), undefined);
});

Deno.test("other files beside the objects do not make a store old", async () => {
  const objects = new MemoryStore();
  await objects.put("log.kv", sampleBytes(10));
  await objects.put("lock", sampleBytes(10));
  await reconcileIdentity(objects, NEW_LOG);
});

Deno.test("of two logs that claim new objects at once, one is refused", async () => {
  const objects = new MemoryStore();
  const outcomes = await Promise.allSettled([
    reconcileIdentity(objects, NEW_LOG),
    reconcileIdentity(objects, { ...NEW_LOG, storeId: "store-2" }),
    reconcileIdentity(objects, NEW_LOG),
  ]);
  deepEqual(outcomes.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
  equal((await readIdentity(objects))?.store, "store-1");
});

Deno.test("a server that comes second finds the first one's segments and goes on", async () => {
  const objects = new MemoryStore();
  const list = objects.list.bind(objects);
  objects.list = async function* (prefix) {
    // between the look for an identity and the look for segments
    await writeIdentity(objects, { format: STORE_FORMAT, store: NEW_LOG.storeId });
    await objects.put("segments/a", sampleBytes(10));
    yield* list(prefix);
  };
  await reconcileIdentity(objects, NEW_LOG);
});

Deno.test("whether there are segments is asked for one name", async () => {
  const objects = new MemoryStore();
  const list = objects.list.bind(objects);
  const limits: unknown[] = [];
  objects.list = (prefix, options) => {
    limits.push(options?.limit);
    return list(prefix, options);
  };
  await reconcileIdentity(objects, NEW_LOG);
  deepEqual(limits, [1]);
});

Deno.test("a store that does not answer is not a store without an identity", async () => {
  const objects = new MemoryStore();
  objects.get = () => Promise.reject(new GraftError("unavailable", "Cannot read: no answer"));
  await rejectsWith(reconcileIdentity(objects, NEW_LOG), "unavailable", /no answer/);
});
