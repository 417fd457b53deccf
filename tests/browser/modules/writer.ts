// A program that writes to a storage without end, until it is interrupted.

import { openStorage } from "../../../client/storage/open_storage.ts";
import type { ReplicaStorage } from "../../../client/storage/replica_storage.ts";
import { isGraftError } from "../../../src/core/errors.ts";
import { serveCalls } from "../page/calls.ts";

const ROWS = 20;

let storage: ReplicaStorage | undefined;
let told = 0;

const CALLS: Readonly<Record<string, (...args: never[]) => unknown>> = {
  /** Opens a storage. */
  async open(url: string, wait: boolean) {
    storage = await openStorage(url, { wait });
  },
  /** Begins to write: batch n sets every row to n, and adds one for itself. */
  async startWriting() {
    const before = await count();
    writeFrom(before + 1).catch(() => {});
  },
  /** How many batches were told done since `startWriting`. */
  told: () => told,
  /** How many batches there are; throws where one is there in part. */
  count,
  /** The code of the error that a write ends with, or nothing. */
  async write() {
    try {
      await opened().write({ put: [["x", Uint8Array.of(1)]] });
      return "";
    } catch (error) {
      return isGraftError(error) ? `${error.code}: ${error.message}` : `not a GraftError: ${error}`;
    }
  },
  /** Closes the storage. */
  close: () => opened().close(),
};

function opened(): ReplicaStorage {
  if (storage === undefined) throw new Error("Cannot use the storage: it is not open");
  return storage;
}

async function writeFrom(first: number): Promise<void> {
  for (let n = first;; n++) {
    const value = pageOf(n);
    const rows = Array.from({ length: ROWS }, (_, i) => [`p/${i}`, value] as const);
    await opened().write({ put: [...rows, [`c/${String(n).padStart(8, "0")}`, value]] });
    told++;
  }
}

async function count(): Promise<number> {
  const commits = await Array.fromAsync(opened().keys({ prefix: "c/" }));
  for await (const [key, value] of opened().list({ prefix: "p/" })) {
    const found = new DataView(value.buffer, value.byteOffset).getUint32(0);
    if (found !== commits.length) {
      throw new Error(`${key} is of batch ${found}, not ${commits.length}`);
    }
  }
  return commits.length;
}

function pageOf(n: number): Uint8Array {
  const page = new Uint8Array(4096);
  new DataView(page.buffer).setUint32(0, n);
  return page;
}

serveCalls((name, args) => CALLS[name](...args));
