import assert from "node:assert/strict";
import { isGraftError } from "../core/errors.ts";
import { parseOrigin } from "./origin.ts";

Deno.test("parseOrigin() takes what browsers send, and the star", () => {
  const good = [
    "*",
    "https://app.example.com",
    "http://localhost:8080",
    "http://[::1]:3000",
    "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
    "capacitor://localhost",
  ];
  for (const text of good) assert.equal(parseOrigin(text), text);
});

Deno.test("parseOrigin() refuses what no browser sends, and what every page can be", () => {
  const bad = [
    "",
    "null",
    "app.example.com",
    "https://app.example.com/",
    "https://app.example.com/notes",
    "https://app.example.com:443",
    "HTTPS://app.example.com",
    "https://App.example.com",
    "https://*.example.com",
    "https://a.example,https://b.example",
    "file://",
    "file:///home",
    "capacitor://localhost/",
    "capacitor://",
  ];
  for (const text of bad) {
    assert.throws(
      () => parseOrigin(text),
      (error) => isGraftError(error, "invalid") && error.message.includes(`"${text}"`),
      text,
    );
  }
});
