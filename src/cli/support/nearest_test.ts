import assert from "node:assert/strict";
import { nearest } from "./nearest.ts";

const NAMES = ["listen", "role", "log", "log-level", "retain"];

Deno.test("nearest() finds a name with a slip in it", () => {
  const slips = {
    lisen: "listen",
    listne: "listen",
    rol: "role",
    loglevel: "log-level",
    "log": "log",
    retian: "retain",
  };
  for (const [text, name] of Object.entries(slips)) assert.equal(nearest(text, NAMES), name);
});

Deno.test("nearest() names nothing where nothing is near", () => {
  for (const text of ["xyz", "configuration", "ab"]) {
    assert.equal(nearest(text, NAMES), undefined, text);
  }
  assert.equal(nearest("listen", []), undefined);
});
