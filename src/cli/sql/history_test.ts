import assert from "node:assert/strict";
import { appendHistory, LINE_LENGTH_MAX, LINES_MAX, readHistory } from "./history.ts";

/** Runs a test with a directory of its own for what programs keep. */
async function withState(run: (path: string) => Promise<void>): Promise<void> {
  const before = Deno.env.get("XDG_STATE_HOME");
  const directory = await Deno.makeTempDir();
  Deno.env.set("XDG_STATE_HOME", directory);
  try {
    await run(`${directory}/graft/sql_history`);
  } finally {
    if (before === undefined) Deno.env.delete("XDG_STATE_HOME");
    else Deno.env.set("XDG_STATE_HOME", before);
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("lines come back, the newest first, but for empty and overlong ones", () =>
  withState(async (path) => {
    assert.deepEqual(await readHistory(), []);
    for (const line of ["select 1;", " ", "x".repeat(LINE_LENGTH_MAX + 1), "select 2;"]) {
      appendHistory(line);
    }
    assert.deepEqual(await readHistory(), ["select 2;", "select 1;"]);
    if (Deno.build.os !== "windows") {
      assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600, "for the user alone");
    }
  }));

Deno.test("the file is trimmed to its newest lines", () =>
  withState(async (path) => {
    appendHistory("first");
    const file = await Deno.open(path, { append: true });
    const more = Array.from({ length: 2 * LINES_MAX }, (_, i) => `select ${i};\n`).join("");
    await file.write(new TextEncoder().encode(more));
    file.close();
    const [newest] = await readHistory();
    assert.equal(newest, `select ${2 * LINES_MAX - 1};`);
    const kept = (await Deno.readTextFile(path)).trimEnd().split("\n");
    assert.deepEqual([kept.length, kept[0], kept.at(-1)], [
      LINES_MAX,
      `select ${LINES_MAX};`,
      newest,
    ]);
    const names = [...Deno.readDirSync(path.slice(0, path.lastIndexOf("/")))];
    assert.deepEqual(names.map(({ name }) => name), ["sql_history"]);
    if (Deno.build.os !== "windows") {
      assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600, "for the user alone");
    }
  }));
