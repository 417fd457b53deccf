import assert from "node:assert/strict";
import { runDeno } from "./command.ts";
import { pythonPath, whyMissing } from "./needs.ts";

Deno.test("pythonPath() prefers the variable", () => {
  const env = new Map([["GRAFT_TEST_PYTHON", "/opt/python"], ["HOME", "/h"]]);
  assert.equal(pythonPath(env), "/opt/python");
});

Deno.test("pythonPath() looks below the cache folder, which may be moved", () => {
  assert.equal(pythonPath(new Map([["HOME", "/h"]])), "/h/.cache/graft-ci/venv/bin/python");
  const moved = new Map([["HOME", "/h"], ["XDG_CACHE_HOME", "/c"]]);
  assert.equal(pythonPath(moved), "/c/graft-ci/venv/bin/python");
});

Deno.test("whyMissing() says how to get a Python that is not there", async () => {
  const before = Deno.env.get("GRAFT_TEST_PYTHON");
  Deno.env.set("GRAFT_TEST_PYTHON", "/nowhere/python");
  try {
    assert.match(await whyMissing("python") ?? "", /sqlite-graft and apsw \(\.ci\/run/);
  } finally {
    if (before === undefined) Deno.env.delete("GRAFT_TEST_PYTHON");
    else Deno.env.set("GRAFT_TEST_PYTHON", before);
  }
});

Deno.test("whyMissing() names the programs that are not built, and what builds them", async () => {
  const before = Deno.env.get("XDG_CACHE_HOME");
  Deno.env.set("XDG_CACHE_HOME", "/nowhere");
  try {
    const reason = await whyMissing("S3 servers") ?? "";
    assert.match(reason, /minio or versitygw is not built \(deno run -A tools\/gate\/install/);
  } finally {
    if (before === undefined) Deno.env.delete("XDG_CACHE_HOME");
    else Deno.env.set("XDG_CACHE_HOME", before);
  }
});

Deno.test("whyMissing() says how to get a browser that is not there", async () => {
  const before = Deno.env.get("GRAFT_TEST_CHROMIUM");
  Deno.env.set("GRAFT_TEST_CHROMIUM", "/nowhere/chromium");
  try {
    assert.match(await whyMissing("chromium") ?? "", /apt-get install chromium; or set GRAFT_TEST/);
  } finally {
    if (before === undefined) Deno.env.delete("GRAFT_TEST_CHROMIUM");
    else Deno.env.set("GRAFT_TEST_CHROMIUM", before);
  }
});

Deno.test("whyMissing() names the runtimes that npx cannot fetch", async () => {
  // in a process of its own, as tests in other files look programs up at the same time
  const program = `
    import { whyMissing } from ${JSON.stringify(import.meta.resolve("./needs.ts"))};
    console.log(await whyMissing("Node and Bun"));`;
  const directory = await Deno.makeTempDir();
  try {
    await Deno.symlink("/bin/sh", `${directory}/sh`);
    const { output } = await runDeno(["eval", program], { env: { PATH: directory } });
    assert.match(output, /npx cannot fetch node@20.*, bun@/);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
