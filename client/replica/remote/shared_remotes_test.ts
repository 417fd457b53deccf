import assert from "node:assert/strict";
import { VID } from "../_testing.ts";
import { TestRemote, TestServer } from "./_testing_remote.ts";
import { DetectingRemote } from "./detecting_remote.ts";
import type { RemoteNews } from "./remote.ts";
import { SharedRemotes } from "./shared_remotes.ts";
import { NoV1Error } from "./v1_transport.ts";

/** A remote that tells whether it was closed. */
class ClosedRemote extends TestRemote {
  isClosed = false;

  override close(): void {
    this.isClosed = true;
    super.close();
  }
}

Deno.test("a remote that is shared is closed by its last user", () => {
  const remotes = new SharedRemotes();
  const made: ClosedRemote[] = [];
  const open = (key: string) =>
    remotes.open(key, () => {
      made.push(new ClosedRemote(new TestServer()));
      return made.at(-1)!;
    });
  const [a, b, other] = [open("x"), open("x"), open("y")];
  assert.equal(made.length, 2);
  a.close();
  a.close();
  assert.equal(made[0].isClosed, false);
  b.close();
  assert.deepEqual(made.map(({ isClosed }) => isClosed), [true, false]);
  open("x");
  assert.equal(made.length, 3);
  other.close();
});

/** A remote over v0.1, or one that only looks for it. */
class TestProtocol extends TestRemote {
  constructor(server: TestServer, readonly isThere = true) {
    super(server);
  }

  isSpoken(): Promise<boolean> {
    return Promise.resolve(this.isThere);
  }
}

Deno.test("a server that turns out not to know v1, but v0.1, is spoken to in that", async () => {
  const server = new TestServer();
  const v1 = new ClosedRemote(server);
  v1.changes = () => Promise.reject(new NoV1Error("ask", "it answered 404"));
  const protocol = new TestProtocol(server);
  const remote = new DetectingRemote({ v1: () => v1, protocol: () => protocol });
  const news: RemoteNews[] = [];
  const unfollow = remote.follow(VID, (told) => news.push(told));
  await assert.rejects(remote.changes(VID, undefined), { code: "missing" });
  assert.equal(v1.isClosed, true);
  await assert.rejects(remote.changes(VID, undefined), { code: "missing" });
  assert.equal(protocol.calls.length, 2);
  // who followed over v1 follows over v0.1
  protocol.connect(false);
  unfollow();
  protocol.connect(false);
  assert.deepEqual(news.map(({ kind }) => kind), ["offline"]);
});

Deno.test("a server that knows neither is asked over v1 again, and says nothing about a commit", async () => {
  const server = new TestServer();
  const v1 = new ClosedRemote(server);
  const { changes, commit } = v1;
  v1.changes = () => Promise.reject(new NoV1Error("ask", "it answered 404"));
  v1.commit = () => Promise.reject(new NoV1Error("commit", "Cannot commit: so be it", "Go away"));
  const protocol = new TestProtocol(server, false);
  const remote = new DetectingRemote({ v1: () => v1, protocol: () => protocol });
  await assert.rejects(remote.changes(VID, undefined), {
    code: "invalid",
    message: "Cannot ask: it answered 404",
    hint: "Check the URL: what answers there does not speak the Graft protocol",
  });
  await assert.rejects(remote.commit({ vid: VID } as never), {
    code: "unavailable",
    message: "Cannot commit: so be it",
    hint: "Go away",
  });
  assert.equal(v1.isClosed, false);
  Object.assign(v1, { changes, commit });
  await assert.rejects(remote.changes(VID, undefined), { code: "missing" });
  assert.deepEqual(protocol.calls, []);
});
