import assert from "node:assert/strict";
import { isGraftError } from "../../core/errors.ts";
import { inDirectory } from "../import/_testing.ts";
import { TargetFile } from "./target_file.ts";

function codeOf(path: string, replace: boolean): string {
  try {
    using _target = TargetFile.create(path, replace);
    return "created";
  } catch (error) {
    assert(isGraftError(error), String(error));
    return error.code;
  }
}

function namesIn(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
}

Deno.test("a file has its name when it is published, and not before", async () => {
  await inDirectory(async (directory) => {
    {
      using target = TargetFile.create(`${directory}/a.db`, false);
      await target.write(4, Uint8Array.of(1, 2));
      assert.deepEqual(namesIn(directory), ["a.db.partial"]);
      await target.finish(8);
      await target.publish();
    }
    assert.deepEqual(namesIn(directory), ["a.db"]);
    const bytes = await Deno.readFile(`${directory}/a.db`);
    assert.deepEqual([...bytes], [0, 0, 0, 0, 1, 2, 0, 0]);
  });
});

Deno.test("what a killed export left behind is written over", async () => {
  await inDirectory(async (directory) => {
    await Deno.writeFile(`${directory}/a.db.partial`, new Uint8Array(100).fill(9));
    using target = TargetFile.create(`${directory}/a.db`, false);
    await target.finish(2);
    await target.publish();
    assert.deepEqual([...await Deno.readFile(`${directory}/a.db`)], [0, 0]);
  });
});

Deno.test("a file that is there is replaced only when asked to", async () => {
  await inDirectory(async (directory) => {
    const path = `${directory}/a.db`;
    await Deno.writeTextFile(path, "old");
    assert.equal(codeOf(path, false), "conflict");
    assert.equal(codeOf(path, true), "created");
    assert.equal(await Deno.readTextFile(path), "old");
    assert.deepEqual(namesIn(directory), ["a.db"]);
  });
});

Deno.test("a journal beside it, a directory and a directory that is missing are refused", async () => {
  await inDirectory(async (directory) => {
    await Deno.writeTextFile(`${directory}/a.db-wal`, "");
    await Deno.writeTextFile(`${directory}/b.db-journal`, "");
    assert.equal(codeOf(`${directory}/a.db`, true), "conflict");
    assert.equal(codeOf(`${directory}/b.db`, true), "conflict");
    assert.equal(codeOf(directory, true), "invalid");
    assert.equal(codeOf(`${directory}/none/a.db`, false), "missing");
  });
});

Deno.test("an export does not write through a link", async () => {
  const directory = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${directory}/elsewhere.txt`, "precious");
    await Deno.symlink(`${directory}/elsewhere.txt`, `${directory}/a.db.partial`);
    assert.throws(() => TargetFile.create(`${directory}/a.db`, false), { code: "conflict" });
    assert.equal(await Deno.readTextFile(`${directory}/elsewhere.txt`), "precious");
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
