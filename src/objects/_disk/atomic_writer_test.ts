import { deepEqual, equal, match, rejects, throws } from "node:assert/strict";
import { ModelDisk, systemError } from "../../../tests/faults/objects_model_disk.ts";
import type { Random } from "../../core/random.ts";
import { sampleBytes } from "../_testing.ts";
import { AtomicWriter } from "./atomic_writer.ts";

const random: Random = {
  fill: (target) => target.fill(0xab),
  fraction: () => 0,
};

function noFailure(path: string): never {
  throw new Error(`the process ends: ${path}`);
}

async function openOn(disk: ModelDisk): Promise<AtomicWriter> {
  return await AtomicWriter.open(disk, "/tmp", { onSyncFailure: noFailure, random });
}

async function namesIn(disk: ModelDisk, path: string): Promise<string[]> {
  return (await disk.list(path)).map(({ name }) => name).sort();
}

function read(disk: ModelDisk, path: string): Uint8Array {
  const { file, sizeBytes } = disk.open(path);
  const bytes = new Uint8Array(sizeBytes);
  disk.readSync(file, bytes, 0);
  disk.close(file);
  return bytes;
}

function goOn(): void {}

Deno.test("a file is written, synced and closed before it is named", async () => {
  const disk = new ModelDisk();
  const writer = await openOn(disk);
  disk.steps.length = 0;
  await writer.replace("/a", sampleBytes(100), goOn);
  deepEqual(disk.steps.map((step) => step.kind === "note" ? "" : `${step.kind} ${step.path}`), [
    "create /tmp/abababababab-0",
    "write /tmp/abababababab-0",
    "write /tmp/abababababab-0",
    "sync begins /tmp/abababababab-0",
    "sync ends /tmp/abababababab-0",
    "rename /tmp/abababababab-0",
  ]);
  deepEqual(read(disk, "/a"), sampleBytes(100));
  equal(disk.openCount, 0);
});

Deno.test("a replaced file is never seen in part", async () => {
  const disk = new ModelDisk();
  const writer = await openOn(disk);
  await writer.replace("/a", sampleBytes(100, 1), goOn);
  const before = disk.steps.length;
  await writer.replace("/a", sampleBytes(100, 2), goOn);
  for (let moment = before; moment < disk.steps.length; moment++) {
    deepEqual(read(ModelDisk.after(disk.steps.slice(0, moment)), "/a"), sampleBytes(100, 1));
  }
  deepEqual(read(disk, "/a"), sampleBytes(100, 2));
});

Deno.test("a file is created only under a free name", async () => {
  const disk = new ModelDisk();
  const writer = await openOn(disk);
  await writer.create("/a", sampleBytes(100, 1), goOn);
  await rejects(writer.create("/a", sampleBytes(50, 2), goOn), { code: "EEXIST" });
  deepEqual(read(disk, "/a"), sampleBytes(100, 1));
  deepEqual(await namesIn(disk, "/tmp"), []);
});

Deno.test("writes at once use files of their own", async () => {
  const disk = new ModelDisk();
  const writer = await openOn(disk);
  await Promise.all(
    ["/a", "/b", "/c"].map((path, i) => writer.replace(path, sampleBytes(9, i), goOn)),
  );
  for (const [i, path] of ["/a", "/b", "/c"].entries()) {
    deepEqual(read(disk, path), sampleBytes(9, i));
  }
});

Deno.test("a caller can give up until the file is named", async () => {
  const disk = new ModelDisk();
  const writer = await openOn(disk);
  const giveUp = () => {
    throw new Error("enough");
  };
  await rejects(writer.replace("/a", sampleBytes(100), giveUp), /enough/);
  await rejects(writer.create("/a", sampleBytes(100), giveUp), /enough/);
  throws(() => disk.open("/a"), { code: "ENOENT" });
  deepEqual(await namesIn(disk, "/tmp"), []);
});

for (const code of ["ENOSPC", "EDQUOT"]) {
  Deno.test(`a sync that fails with ${code} is a full disk`, async () => {
    class FullDisk extends ModelDisk {
      override syncData(): Promise<void> {
        return Promise.reject(systemError(code));
      }
    }
    const disk = new FullDisk();
    const writer = await openOn(disk);
    await rejects(writer.replace("/a", sampleBytes(100), goOn), { code });
    deepEqual(await namesIn(disk, "/tmp"), []);
    equal(disk.openCount, 0);
  });
}

Deno.test("a sync that fails otherwise goes to the handler, by its path", async () => {
  class BrokenDisk extends ModelDisk {
    override syncData(): Promise<void> {
      return Promise.reject(systemError("EIO"));
    }
  }
  const disk = new BrokenDisk();
  const writer = await openOn(disk);
  const written = writer.replace("/a", sampleBytes(100), goOn);
  await rejects(written, /the process ends: \/tmp\/abababababab-0/);
  throws(() => disk.open("/a"), { code: "ENOENT" });
});

Deno.test("a temporary file that cannot be removed hides no error, and is swept later", async () => {
  class StickyDisk extends ModelDisk {
    sticky = true;

    override remove(path: string): void {
      if (this.sticky) throw systemError("EIO");
      super.remove(path);
    }

    override rename(path: string): void {
      throw systemError("ENOSPC", path);
    }
  }
  const disk = new StickyDisk();
  const writer = await openOn(disk);
  await rejects(writer.replace("/a", sampleBytes(100), goOn), { code: "ENOSPC" });
  const [left] = await namesIn(disk, "/tmp");
  match(left, /^abababababab-0$/);
  disk.sticky = false;
  await openOn(disk);
  deepEqual(await namesIn(disk, "/tmp"), []);
});
