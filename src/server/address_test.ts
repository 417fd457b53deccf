import assert from "node:assert/strict";
import { isGraftError } from "../core/errors.ts";
import { formatAddress, isLoopbackHost, parseAddress } from "./address.ts";

Deno.test("parseAddress() reads names, addresses and IPv6 in brackets, and formatAddress() writes them", () => {
  const addresses: [string, string, number][] = [
    ["127.0.0.1:3000", "127.0.0.1", 3000],
    ["localhost:0", "localhost", 0],
    ["[::1]:65535", "::1", 65_535],
    ["0.0.0.0:80", "0.0.0.0", 80],
  ];
  for (const [text, hostname, port] of addresses) {
    assert.deepEqual(parseAddress(text), { hostname, port });
    assert.equal(formatAddress({ hostname, port }), text);
  }
});

Deno.test("parseAddress() refuses everything else", () => {
  const bad = [
    "",
    "3000",
    ":3000",
    "127.0.0.1",
    "127.0.0.1:",
    "127.0.0.1:65536",
    "::1:3000",
    "http://x:1",
  ];
  for (const text of bad) {
    assert.throws(
      () => parseAddress(text),
      (error) => isGraftError(error, "invalid") && error.message.includes(`"${text}"`),
      text,
    );
  }
});

Deno.test("isLoopbackHost() knows what cannot be reached from elsewhere", () => {
  for (const host of ["localhost", "LocalHost", "127.0.0.1", "127.255.0.3", "::1", "[::1]"]) {
    assert(isLoopbackHost(host), host);
  }
  const strange = [
    "0.0.0.0",
    "::",
    "10.0.0.1",
    "128.0.0.1",
    "localhost.example",
    "127.0.0.1.example",
    "",
  ];
  for (const host of strange) assert(!isLoopbackHost(host), host);
});
