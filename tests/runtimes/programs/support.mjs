/** What the cases share. It uses what Node and Bun both have. */

import assert from "node:assert/strict";
import { createServer } from "node:net";

/** A page that is unlike that of any other seed. */
export function page(seed) {
  const bytes = new Uint8Array(4096).fill(seed % 251);
  new DataView(bytes.buffer).setUint32(0, seed);
  return bytes;
}

/** Fails unless `run` throws or rejects with a GraftError of this code; answers the error. */
export async function rejectsWith(code, run) {
  try {
    await run();
  } catch (error) {
    assert.equal(error?.name, "GraftError", `${error?.stack ?? error}`);
    assert.equal(error.code, code, error.message);
    return error;
  }
  throw new Error(`The call succeeded instead of failing with "${code}"`);
}

/**
 * Runs `use` with the `url` of a server that takes requests and never answers; `reached` resolves when the
 * first has come.
 */
export async function withSilentServer(use) {
  const sockets = new Set();
  const server = createServer();
  const reached = new Promise((resolve) => {
    server.on("connection", (socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.once("data", resolve);
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await use({ url: `http://127.0.0.1:${server.address().port}`, reached });
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}
