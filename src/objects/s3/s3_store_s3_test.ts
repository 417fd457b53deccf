import { testObjectStore } from "../_conformance.ts";
import { testDatedObjectStore } from "../_conformance_dated.ts";
import { S3_KINDS, S3Servers } from "./_testing.ts";

const servers = new S3Servers();
Deno.test.afterAll(() => servers[Symbol.asyncDispose]());

for (const kind of S3_KINDS) {
  testObjectStore(kind, () => servers.openStore(kind));
  testDatedObjectStore(kind, () => servers.openStore(kind));
}
