/** What a replica does, whatever it runs in. */

import assert from "node:assert/strict";
import * as zlib from "node:zlib";
import { page, rejectsWith, withSilentServer } from "./support.mjs";

/** Nothing listens there. */
const NOWHERE = "http://127.0.0.1:9";
/** Node 20 has no `node:sqlite`. */
const hasSqlite = ({ runtime }) => runtime !== "Node 20";

const newClient = ({ graft, url, tokens }) => new graft.GraftClient(url, { token: tokens.all });

const open = ({ graft, url, tokens }, vid, options) =>
  graft.openReplica(url, vid, { token: tokens.all, ...options });

/** A volume with pages 1 and 2 at LSN 1, and a client for it. */
async function newVolume(context) {
  const client = newClient(context);
  const vid = client.newVolumeId();
  await client.push(vid, undefined, [[1, page(1)], [2, page(2)]], 2);
  return { client, vid };
}

/** Opens a replica, lets `use` have it, and closes it however that ends. */
async function withReplica(opening, use) {
  const replica = await opening;
  try {
    return await use(replica);
  } finally {
    await replica.close();
  }
}

/** Reads a page at the newest local state. */
async function read(replica, pageIdx) {
  const snapshot = replica.snapshot();
  try {
    return (await snapshot.read(pageIdx)).slice();
  } finally {
    snapshot.close();
  }
}

/** Waits until so many pages are kept: a read is answered before. */
async function untilLocal(replica, pages) {
  while (replica.status().localPages < pages) await new Promise((again) => setTimeout(again, 10));
}

/** The first status for which `look` holds. */
async function untilStatus(replica, look) {
  const statuses = replica.statuses();
  if (look(replica.status())) return replica.status();
  for await (const status of statuses) {
    if (look(status)) return status;
  }
  throw new Error("The replica was closed");
}

const IN_MEMORY = {
  async "a replica reads a volume of the server"(context) {
    const { vid } = await newVolume(context);
    await withReplica(open(context, vid, { storage: "memory:" }), async (replica) => {
      assert.deepEqual(await read(replica, 2), page(2));
      assert.equal(replica.status().lsn, 1);
      await untilLocal(replica, 1);
    });
  },

  async "a transaction on a replica is pushed, and others see it"(context) {
    const { client, vid } = await newVolume(context);
    await withReplica(open(context, vid), async (replica) => {
      await replica.transaction(async (tx) => {
        tx.write(3, await tx.read(1));
        tx.write(1, page(9));
      });
      await replica.sync();
      assert.equal(replica.status().state, "synced");
      const { lsn, pageCount } = await client.snapshot(vid);
      assert.deepEqual([lsn, pageCount], [2, 3]);
      const seen = await client.read(vid, lsn, [1, 3]);
      assert.deepEqual([seen.page(1), seen.page(3)], [page(9), page(1)]);
    });
  },

  async "a new volume begins with a replica's first push"(context) {
    await withReplica(open(context), async (replica) => {
      await replica.transaction((tx) => tx.write(1, page(5)));
      await replica.sync();
      const seen = await newClient(context).read(replica.vid, 1, [1]);
      assert.deepEqual(seen.page(1), page(5));
    });
  },

  async "what others commit is told, and read"(context) {
    const { client, vid } = await newVolume(context);
    await withReplica(open(context, vid), async (replica) => {
      const changes = replica.changes();
      assert.deepEqual(await read(replica, 2), page(2));
      await client.push(vid, 1, [[2, page(8)]], 2);
      const { value: change } = await changes.next();
      assert.deepEqual([[...change.pages.toArray()], change.lsn], [[2], 2]);
      assert.equal(change.fromServer, true);
      assert.deepEqual(await read(replica, 2), page(8));
    });
  },

  async "a conflict is a state, and a replay leads out of it"(context) {
    const { client, vid } = await newVolume(context);
    await withReplica(withoutEvents(context, vid), async (replica) => {
      assert.deepEqual(await read(replica, 1), page(1));
      await client.push(vid, 1, [[1, page(8)]], 2);
      await replica.transaction(async (tx) => tx.write(2, await tx.read(1)));
      await untilStatus(replica, ({ state }) => state === "conflict");
      await rejectsWith("conflict", () => replica.sync());
      await replica.replay();
      await replica.sync();
      assert.deepEqual((await client.read(vid, 3, [2])).page(2), page(8));
    });
  },

  async "a replica that nobody lets in says so"(context) {
    const { vid } = await newVolume(context);
    const token = context.tokens.foreign;
    await rejectsWith("unauthorized", () => open(context, vid, { token }));
  },

  async "closing a replica ends what waits for the server"({ graft }) {
    await withSilentServer(async ({ url, reached }) => {
      const replica = await graft.openReplica(url);
      const syncing = replica.transaction((tx) => tx.write(1, page(1))).then(() => replica.sync());
      await Promise.all([
        rejectsWith("aborted", () => syncing),
        reached.then(() => replica.close()),
      ]);
    });
  },

  async "pages come compressed, and are read"(context) {
    const client = newClient(context);
    const vid = client.newVolumeId();
    const indexes = Array.from({ length: 40 }, (_, at) => at + 1);
    await client.push(vid, undefined, indexes.map((idx) => [idx, page(idx)]), 40);
    // the default, and, from Node 22.15 on and in Bun, what the platform has
    const { zstdDecompressSync } = zlib;
    const hasOwn = context.runtime !== "Node 20";
    assert.equal(typeof zstdDecompressSync, hasOwn ? "function" : "undefined");
    let decompressed = 0;
    const own = (stored, length) => {
      decompressed++;
      return zstdDecompressSync(stored, { maxOutputLength: length });
    };
    for (const decompress of hasOwn ? [undefined, own] : [undefined]) {
      const accepted = [];
      const watching = (url, init) => {
        accepted.push(init.headers.accept);
        return fetch(url, init);
      };
      const options = { decompress, fetch: watching };
      await withReplica(open(context, vid, options), async (replica) => {
        const snapshot = replica.snapshot();
        const read = await snapshot.readMany(indexes);
        snapshot.close();
        for (const [idx, bytes] of read) assert.deepEqual(bytes, page(idx));
        assert.equal([...read].length, 40);
      });
      assert.ok(accepted.includes("application/vnd.graft.pages;codec=zstd"));
    }
    assert.equal(decompressed > 0, hasOwn);
  },
};

/** A replica that is told nothing, and so commits on what it knows. */
function withoutEvents(context, vid) {
  return open(context, vid, {
    fetch: (url, init) => {
      if (url.includes("/v1/events")) return Promise.reject(new TypeError("No events here"));
      return fetch(url, init);
    },
  });
}

const IN_SQLITE = {
  async "a replica in a file is there again, also without the server"(context) {
    if (!hasSqlite(context)) return await refusesSqlite(context);
    const { graft, directory } = context;
    const { client, vid } = await newVolume(context);
    const storage = `sqlite:${directory}/replica.db`;
    await withReplica(open(context, vid, { storage }), async (replica) => {
      assert.deepEqual(await read(replica, 1), page(1));
      await untilLocal(replica, 1);
    });
    await withReplica(graft.openReplica(NOWHERE, vid, { storage }), async (replica) => {
      assert.deepEqual(await read(replica, 1), page(1));
      await replica.transaction((tx) => tx.write(2, page(7)));
    });
    await withReplica(open(context, vid, { storage }), async (replica) => {
      assert.deepEqual(await read(replica, 2), page(7));
      await replica.sync();
    });
    assert.deepEqual((await client.read(vid, 2, [2])).page(2), page(7));
  },

  async "a file that is open is refused to others"(context) {
    if (!hasSqlite(context)) return await refusesSqlite(context);
    const storage = `sqlite:${context.directory}/owned.db`;
    await withReplica(open(context, undefined, { storage }), async () => {
      await rejectsWith("unavailable", () => open(context, undefined, { storage }));
    });
  },
};

/** What a platform without `node:sqlite` says, instead of a missing module. */
async function refusesSqlite(context) {
  const storage = `sqlite:${context.directory}/none.db`;
  const error = await rejectsWith("invalid", () => open(context, undefined, { storage }));
  assert.match(error.message, /there is no node:sqlite here/);
  assert.match(error.hint, /22\.13/);
}

export const REPLICA_CASES = { ...IN_MEMORY, ...IN_SQLITE };
