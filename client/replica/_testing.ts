// A replica on a storage and a server of a few lines.

import { newGid, parseGid, type VolumeId } from "../../src/core/gid.ts";
import { systemClock } from "../../src/core/clock.ts";
import { systemRandom } from "../../src/core/random.ts";
import { FakeTime } from "../_testing.ts";
import { TestRemote, TestServer } from "./remote/_testing_remote.ts";
import { TestStorage } from "./local/_testing_storage.ts";
import { Replica, type ReplicaParts } from "./replica.ts";

export const VID: VolumeId = parseGid("volume", "GonwTRj2SohJzYLLjD9nSq");

/** A page that is easily told apart. */
export function page(fill: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(4096).fill(fill);
}

/** What a test needs of a replica. */
export class Bench {
  readonly server: TestServer;
  readonly remote: TestRemote;
  readonly time = new FakeTime();
  storage: TestStorage;

  constructor(server = new TestServer(), storage = new TestStorage()) {
    this.server = server;
    this.remote = new TestRemote(server);
    this.storage = storage;
  }

  /** Opens a replica; a bench has one at a time. */
  async open(parts: Partial<ReplicaParts> = {}): Promise<Replica> {
    return await Replica.open({
      storage: this.storage,
      remote: this.remote,
      vid: VID,
      isNew: false,
      newClientId: () => newGid("client", systemClock, systemRandom),
      newVolumeId: () => newGid("volume", systemClock, systemRandom),
      random: systemRandom,
      timers: this.time,
      bytesMax: Infinity,
      ...parts,
    });
  }

  /** Commits by somebody else. */
  async commit(pages: Record<number, number>, pageCount?: number): Promise<void> {
    const indexes = Object.keys(pages).map(Number);
    const base = this.server.line(VID).at(-1)?.snapshot;
    await this.server.commit({
      vid: VID,
      cid: newGid("client", systemClock, systemRandom),
      requestId: crypto.getRandomValues(new Uint8Array(16)),
      base,
      pageCount: (pageCount ?? Math.max(base?.pageCount ?? 0, ...indexes)) as never,
      pageSet: undefined as never,
      async *pages() {
        for (const index of indexes) yield [index, await page(pages[index])] as const;
      },
    });
  }
}

/** The first byte of each page that a replica shows. */
export async function show(replica: Replica): Promise<number[]> {
  using snapshot = replica.snapshot();
  const bytes: number[] = [];
  for (let i = 1; i <= snapshot.pageCount; i++) bytes.push((await snapshot.read(i))[0]);
  return bytes;
}
