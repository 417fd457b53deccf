import assert from "node:assert/strict";
import { bundleTypes, checkTypes } from "./bundle_types.ts";

const CLIENT = new URL("../client/mod.ts", import.meta.url).pathname;

/** What an application may write. */
const PROGRAM = `
import { GraftClient, type GraftErrorCode, isGraftError, openReplica, PageSet } from "./graft.js";

export async function main(url: string): Promise<GraftErrorCode | undefined> {
  const client = new GraftClient(url, { decompress: false });
  const { lsn } = await client.push(client.newVolumeId(), undefined, [[1, new Uint8Array(4096)]], 1);
  const count: number = lsn;
  const replica = await openReplica(url, undefined, { storage: "memory:" });
  for await (const { pages, fromServer } of replica.changes()) {
    const same: boolean = fromServer && pages.equals(PageSet.from([count]));
    if (same) break;
  }
  using snapshot = replica.snapshot();
  const page: Uint8Array = await snapshot.read(1);
  await replica.transaction(async (tx) => tx.write(2, await tx.read(page[0])));
  try {
    await replica.sync();
  } catch (error) {
    if (isGraftError(error)) return error.code;
  }
}
`;

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a program is checked against the client's types alone", async () => {
  await inFolder(async (folder) => {
    const types = `${folder}/graft.d.ts`;
    await bundleTypes(CLIENT, types);
    checkTypes(types, PROGRAM);
    const wrong = PROGRAM.replace(`storage: "memory:"`, "storage: 7");
    assert.throws(() => checkTypes(types, wrong), /program\.ts:8 Type 'number' is not assignable/);
    const unknown = PROGRAM.replace("PageSet }", "PageSet, PageHeap }");
    assert.throws(() => checkTypes(types, unknown), /no exported member.*'PageHeap'/);
    assert.doesNotMatch(await Deno.readTextFile(types), /^(import|export .*from)|import\("/m);
  });
});

Deno.test("types that others' signatures name come along", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/part.ts`, "export interface Part { readonly a: number }");
    await Deno.writeTextFile(
      `${folder}/entry.ts`,
      `import type { Part } from "./part.ts"; export const part = (): Part => ({ a: 1 });`,
    );
    await bundleTypes(`${folder}/entry.ts`, `${folder}/graft.d.ts`, `${folder}/`);
    const use = (type: string) =>
      `import { part } from "./graft.js"; export const a: ${type} = part().a;`;
    checkTypes(`${folder}/graft.d.ts`, use("number"));
    assert.throws(() => checkTypes(`${folder}/graft.d.ts`, use("string")), /not assignable/);
  });
});
