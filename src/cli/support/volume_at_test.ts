import assert from "node:assert/strict";
import { isGraftError } from "../../core/errors.ts";
import { parseVolumeAt } from "./volume_at.ts";

const VID = "GonwTRj2SohJzYLLjD9nSq";

Deno.test("parseVolumeAt() takes a volume with or without a point in its history", () => {
  assert.deepEqual(parseVolumeAt(VID), { vid: VID, at: undefined });
  assert.deepEqual(parseVolumeAt(`${VID}@12`), { vid: VID, at: "12" });
  assert.deepEqual(parseVolumeAt(`${VID}@2026-05-01T12:00:00Z`).at, "2026-05-01T12:00:00Z");
});

Deno.test("parseVolumeAt() refuses what is no volume, or no point in its history", () => {
  for (const text of ["", "@12", "x@12", `${VID}x`, `${VID}@`, `${VID}@yesterday`]) {
    assert.throws(() => parseVolumeAt(text), (error) => isGraftError(error, "invalid"), text);
  }
});
