import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { ModelDisk, systemError } from "../../../tests/faults/objects_model_disk.ts";
import { checkKey } from "../_call_checks.ts";
import { Listing } from "./listing.ts";

const ROOT = "/store";

function diskWithKeys(keys: readonly string[]): ModelDisk {
  const disk = new ModelDisk();
  disk.makeDirectory(ROOT);
  for (const key of keys) {
    const parts = key.split("/");
    for (let depth = 1; depth < parts.length; depth++) {
      const folder = `${ROOT}/${parts.slice(0, depth).join("/")}`;
      if (disk.stat(folder) === undefined) disk.makeDirectory(folder);
    }
    disk.close(disk.create(`${ROOT}/${key}`));
  }
  return disk;
}

async function list(disk: ModelDisk, prefix: string, after = ""): Promise<string[]> {
  const settle = (path: string) => Promise.resolve(disk.stat(path)?.kind === "directory");
  const keys: string[] = [];
  for await (const { key } of new Listing(disk, ROOT, { prefix, after }, settle).entries()) {
    keys.push(key);
  }
  return keys;
}

/** Keys of few letters, so that they share prefixes; no key is another one's folder. */
const keySets = fc.array(
  fc.array(fc.string({ unit: fc.constantFrom("a", "b", "-", "0"), minLength: 1, maxLength: 2 }), {
    minLength: 1,
    maxLength: 3,
  }).map((parts) => parts.join("/")),
  { maxLength: 30 },
).map((keys) => {
  const unique = [...new Set(keys)];
  return unique.filter((key) => !unique.some((other) => other.startsWith(`${key}/`)));
});

Deno.test("a tree is listed as a filter and a sort of all keys would", async () => {
  const bounds = fc.string({ unit: fc.constantFrom("a", "b", "-", "0", "/"), maxLength: 4 });
  await fc.assert(fc.asyncProperty(keySets, bounds, bounds, async (keys, prefix, after) => {
    keys.forEach(checkKey);
    const expected = keys.filter((key) => key.startsWith(prefix) && key > after).sort();
    deepEqual(await list(diskWithKeys(keys), prefix, after), expected);
  }));
});

Deno.test("directories that cannot hold a wanted key are not read", async () => {
  const disk = diskWithKeys(["a/x", "b/c/x", "b/d/x", "e/x", "f"]);
  const read: string[] = [];
  const settle = (path: string) => {
    read.push(path);
    return Promise.resolve(disk.stat(path)?.kind === "directory");
  };
  for (const [prefix, after] of [["b/c/", ""], ["b/", "b/c/x"], ["", "b/d/x"]]) {
    read.push(`${prefix} ${after}`);
    for await (const _entry of new Listing(disk, ROOT, { prefix, after }, settle).entries());
  }
  deepEqual(read, [
    "b/c/ ",
    "/store/b/c",
    "b/ b/c/x",
    "/store/b",
    "/store/b/c",
    "/store/b/d",
    " b/d/x",
    "/store",
    "/store/b",
    "/store/b/d",
    "/store/e",
  ]);
});

Deno.test("the folder of temporary files is left out, others of that name are not", async () => {
  const disk = diskWithKeys(["tmp/a", "segments/tmp/b", "tmp-c"]);
  deepEqual(await list(disk, ""), ["segments/tmp/b", "tmp-c"]);
  deepEqual(await list(disk, "tmp/"), []);
});

Deno.test("what goes while it is listed is left out", async () => {
  const disk = diskWithKeys(["a/x", "b/x", "c"]);
  const keys: string[] = [];
  const settle = () => Promise.resolve(true);
  for await (const entry of new Listing(disk, ROOT, { prefix: "", after: "" }, settle).entries()) {
    keys.push(entry.key);
    if (keys.length > 1) continue;
    disk.rename("/store/b/x", "/elsewhere");
    disk.remove("/store/c");
  }
  deepEqual(keys, ["a/x"]);
});

Deno.test("a directory that goes between its settling and its reading is empty", async () => {
  class VanishingDisk extends ModelDisk {
    override list(path: string): ReturnType<ModelDisk["list"]> {
      return Promise.reject(systemError(path === ROOT ? "ENOENT" : "EIO"));
    }
  }
  const settle = () => Promise.resolve(true);
  const listing = new Listing(new VanishingDisk(), ROOT, { prefix: "", after: "" }, settle);
  const entries = [];
  for await (const entry of listing.entries()) entries.push(entry);
  equal(entries.length, 0);
});
