import assert from "node:assert/strict";
import { isGraftError } from "../core/errors.ts";
import { parseDuration } from "./duration.ts";
import { parseMoment } from "./moment.ts";

const NOW_MS = Date.parse("2026-05-01T12:00:00Z");

Deno.test("parseMoment() takes digits for an LSN", () => {
  assert.deepEqual(parseMoment("12", NOW_MS), { lsn: 12 });
});

Deno.test("parseMoment() counts durations back from now", () => {
  assert.deepEqual(parseMoment("2h", NOW_MS), { timestampMs: Date.parse("2026-05-01T10:00:00Z") });
  assert.deepEqual(parseMoment("7d", NOW_MS), { timestampMs: Date.parse("2026-04-24T12:00:00Z") });
});

Deno.test("parseMoment() takes times with a zone", () => {
  for (
    const text of ["2026-05-01T10:00:00Z", "2026-05-01T12:00:00.000+02:00", "2026-05-01 10:00:00z"]
  ) {
    assert.deepEqual(parseMoment(text, NOW_MS), {
      timestampMs: Date.parse("2026-05-01T10:00:00Z"),
    });
  }
});

Deno.test("parseMoment() refuses what could mean several things", () => {
  const bad = [
    "",
    "soon",
    "0",
    "2026-05-01",
    "2026-05-01T10:00:00",
    "2026-13-01T10:00:00Z",
    "2y",
    "-2h",
    "1.5h",
  ];
  for (const text of bad) {
    assert.throws(() => parseMoment(text, NOW_MS), (error) => isGraftError(error, "invalid"), text);
  }
});

Deno.test("parseDuration() knows its units", () => {
  const units = {
    "5ms": 5,
    "90s": 90_000,
    "2m": 120_000,
    "24h": 86_400_000,
    "7d": 604_800_000,
    "1w": 604_800_000,
  };
  for (const [text, milliseconds] of Object.entries(units)) {
    assert.equal(parseDuration(text), milliseconds);
  }
  for (const text of ["", "7", "d", "7 d", "-1d", "1.5d", "7D", "9999999999d"]) {
    assert.throws(() => parseDuration(text), (error) => isGraftError(error, "invalid"), text);
  }
});
