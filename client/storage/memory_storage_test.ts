import assert from "node:assert/strict";
import { testStorage } from "./_conformance.ts";
import { sampleBytes } from "./_testing.ts";
import { MemoryStorage } from "./memory_storage.ts";

const open = () => Promise.resolve(new MemoryStorage());
const remove = () => Promise.resolve();

testStorage({
  name: "memory:",
  makePlace: () => Promise.resolve({ open, remove }),
  isKept: false,
}, Deno.test);

Deno.test("memory answers at once, the same view each time", async () => {
  const storage = new MemoryStorage();
  await storage.write({ put: [["v/a", sampleBytes(10)]] });
  assert.ok(storage.get("v/a") instanceof Uint8Array);
  assert.equal(storage.get("v/a"), storage.get("v/a"));
  await storage.close();
});

Deno.test("memory that is closed is empty", async () => {
  const storage = new MemoryStorage();
  await storage.write({ put: [["v/a", sampleBytes(10)]] });
  await storage.close();
  assert.equal(storage.get("v/a"), undefined);
  assert.equal(storage.bytes, 0);
});
