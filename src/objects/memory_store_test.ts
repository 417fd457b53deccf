import { testObjectStore } from "./_conformance.ts";
import { MemoryStore } from "./memory_store.ts";

testObjectStore("memory", () => Promise.resolve(new MemoryStore()));
