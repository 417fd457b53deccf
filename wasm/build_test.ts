import assert from "node:assert/strict";

Deno.test("the committed module is what its sources build to", async () => {
  const build = new URL("./build.ts", import.meta.url).pathname;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", build, "--check"],
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
});
