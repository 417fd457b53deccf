import assert from "node:assert/strict";
import { graft } from "../../src/cli/_testing.ts";
import { call, type Endpoints, health } from "../wire/_support/calls.ts";
import { GOOD } from "../wire/_support/good_requests.ts";
import { PATH, readError } from "../wire/_support/messages.ts";
import { serverOfFile } from "../wire/_support/server.ts";

const METASTORE = serverOfFile({ role: "metastore" });
const PAGESTORE = serverOfFile({ role: "pagestore" });
const ROLES = [
  {
    role: "metastore",
    other: "pagestore",
    server: METASTORE,
    port: 3001,
    // of a volume that nobody knows
    answers: {
      [PATH.snapshot]: 404,
      [PATH.pullGraft]: 404,
      [PATH.pullCommits]: 404,
      [PATH.commit]: 409,
    },
  },
  {
    role: "pagestore",
    other: "metastore",
    server: PAGESTORE,
    port: 3000,
    answers: { [PATH.readPages]: 404, [PATH.writePages]: 200 },
  },
] as const;

/** Sends a good request to a server, whatever its role. */
function ask({ to }: { readonly to: Endpoints }, path: string) {
  const url = to.metastore;
  return call({ metastore: url, pagestore: url }, path, GOOD[path].slice());
}

for (const { role, other, server, port, answers } of ROLES) {
  Deno.test(`a ${role} answers its own calls`, async () => {
    for (const [path, status] of Object.entries(answers)) {
      assert.equal((await ask(server, path)).status, status, path);
    }
  });

  Deno.test(`a ${role} refuses the calls of the ${other}, and says whose it answers`, async () => {
    const others = Object.keys(GOOD).filter((path) => !(path in answers));
    assert.ok(others.length > 1);
    for (const path of others) {
      const { status, body } = await ask(server, path);
      const { code, message } = readError(body);
      // not the code of a missing snapshot, which a client takes for "nothing new"
      assert.deepEqual([status, code], [404, 1]);
      assert.equal(
        message,
        `Cannot call ${path}: this server answers the calls of the ${role} only`,
      );
    }
  });

  Deno.test(`a ${role} says how it is`, async () => {
    assert.equal(await health(server.to), "200 OK\n");
    const ready = await fetch(`${server.to.metastore}/ready`);
    assert.deepEqual(await ready.json(), { ready: true, log: "ok", objects: "ok" });
    const metrics = await fetch(`${server.to.metastore}/metrics`);
    assert.match(await metrics.text(), /^graft_/m);
  });

  Deno.test(`a ${role} listens on port ${port} of the loopback unless it is told otherwise`, async () => {
    const taken = listenUnlessTaken(port);
    const where = ["--log", "memory:", "--objects", "memory:"];
    const { code, stderr } = await graft(["serve", "--role", role, ...where]);
    taken?.close();
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`Cannot listen on 127\\.0\\.0\\.1:${port}: the port is taken`));
  });
}

Deno.test("volumes as JSON are the metastore's", async () => {
  const listing = await fetch(`${METASTORE.to.metastore}/v1/volumes`);
  assert.deepEqual(await listing.json(), { volumes: [], next: null });
  const refusal = await fetch(`${PAGESTORE.to.metastore}/v1/volumes`);
  assert.equal(refusal.status, 404);
  assert.equal(refusal.headers.get("content-type"), "application/problem+json");
  await refusal.body?.cancel();
});

/** Takes a port so that nobody else can; where somebody has it already, that does as well. */
function listenUnlessTaken(port: number): Deno.Listener | undefined {
  try {
    return Deno.listen({ hostname: "127.0.0.1", port });
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return undefined;
    throw error;
  }
}
