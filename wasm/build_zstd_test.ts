import assert from "node:assert/strict";

const here = new URL("./", import.meta.url);

Deno.test("the committed zstd module is what its package gives", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("build_zstd.ts", here).pathname, "--check"],
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
});

Deno.test("the zstd module imports nothing, so that bundlers can inline it", async () => {
  const bytes = await Deno.readFile(new URL("build/zstd.wasm", here));
  const module = await WebAssembly.compile(bytes);
  assert.deepEqual(WebAssembly.Module.imports(module), []);
});
