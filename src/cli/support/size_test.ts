import assert from "node:assert/strict";
import { UsageError } from "./failure.ts";
import { parseSize } from "./size.ts";

Deno.test("parseSize() reads bytes and powers of 1024", () => {
  const sizes = {
    "0": 0,
    "1048576": 1_048_576,
    "4KiB": 4096,
    "256MiB": 2 ** 28,
    "1gib": 2 ** 30,
    "2 TiB": 2 ** 41,
    "7B": 7,
  };
  for (const [text, bytes] of Object.entries(sizes)) assert.equal(parseSize(text), bytes, text);
});

Deno.test("parseSize() refuses what could mean two things, or nothing", () => {
  for (const text of ["", "MiB", "1MB", "1M", "1.5GiB", "-1", "1 2", "99999999999999TiB", "0x10"]) {
    assert.throws(() => parseSize(text), UsageError, text);
  }
});
