import assert from "node:assert/strict";
import binaryen from "binaryen";
import { withoutExports } from "./bundle_wasm.ts";

function compile(text: string): Uint8Array {
  const module = binaryen.parseText(text);
  try {
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}

function exportsOf(wasm: Uint8Array): WebAssembly.Exports {
  return new WebAssembly.Instance(new WebAssembly.Module(wasm.slice())).exports;
}

Deno.test("exports that are not used go, with what only they need", () => {
  const wasm = compile(`(module
    (func $shared (result i32) (i32.const 40))
    (func $apart (result i32) (i32.const 12345678))
    (func (export "wanted") (result i32) (i32.add (call $shared) (i32.const 1)))
    (func (export "otherThing") (result i32) (i32.add (call $shared) (call $apart))))`);
  const less = withoutExports(wasm, /^other/);
  const { wanted, ...rest } = exportsOf(less);
  assert.deepEqual([(wanted as () => number)(), rest], [41, {}]);
  assert.ok(less.length < wasm.length - 10, `${less.length} of ${wasm.length} bytes`);
});

Deno.test("a module of which all is used stays as it is", () => {
  const wasm = compile(`(module (func (export "wanted") (result i32) (i32.const 41)))`);
  assert.equal(withoutExports(wasm, /^other/), wasm);
});
