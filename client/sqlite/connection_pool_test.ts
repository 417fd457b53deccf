import assert from "node:assert/strict";
import { deferred } from "../replica/deferred.ts";
import { FakeTime } from "../_testing.ts";
import type { Connection } from "./connection.ts";
import { ConnectionPool } from "./connection_pool.ts";

Deno.test("who waits gets the room of a connection that could not be opened", async () => {
  const opening = [deferred<Connection>(), deferred<Connection>()];
  const timers = new FakeTime();
  const pool = new ConnectionPool({
    open: () => opening.shift()!.promise,
    connectionsMax: 1,
    waitMs: 1000,
    timers,
  });
  const [first, second] = opening;
  const failing = Promise.resolve(pool.take());
  const waiting = Promise.resolve(pool.take());
  first.reject(new Error("no room"));
  await assert.rejects(failing, /no room/);
  const connection = {} as Connection;
  second.resolve(connection);
  assert.equal(await waiting, connection);
});

Deno.test("a connection that comes to be open after all were closed is closed, too", async () => {
  const opening = deferred<Connection>();
  const pool = new ConnectionPool({
    open: () => opening.promise,
    connectionsMax: 1,
    waitMs: 1000,
    timers: new FakeTime(),
  });
  const taking = Promise.resolve(pool.take());
  await pool.close();
  let isClosed = false;
  const connection = {
    close() {
      isClosed = true;
      return Promise.resolve();
    },
  };
  opening.resolve(connection as unknown as Connection);
  await assert.rejects(taking, { code: "aborted" });
  assert.equal(isClosed, true);
});
