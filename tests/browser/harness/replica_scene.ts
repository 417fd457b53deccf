/**
 * A replica in a tab, and the server that it is of.
 *
 * @module
 */

import assert from "node:assert/strict";
import { GraftClient } from "../../../client/graft_client.ts";
import { until } from "../../harness/poll.ts";
import type { ServerProcess } from "../../harness/server.ts";
import type { Tab } from "./tab.ts";

/** Where a volume is. */
export interface VolumeOnServer {
  readonly server: Pick<ServerProcess, "url">;
  readonly vid: string;
}

/** What `tests/browser/modules/replica.ts` tells of its replica. */
export interface Status {
  readonly state: string;
  readonly isOnline: boolean;
  readonly localCommits: number;
  readonly localPages: number;
  readonly lsn: number;
  /** What went wrong last, as text. */
  readonly error: string;
}

/** The status of the replica that a tab has open. */
export async function statusOf(tab: Tab): Promise<Status> {
  return await tab.call("status") as Status;
}

/** Waits until the server has all that was committed in a tab. */
export async function untilSynced(tab: Tab): Promise<void> {
  await until("all is pushed", async () => (await statusOf(tab)).state === "synced");
}

/** Waits until the replica has noticed that its server is away. */
export async function untilOffline(tab: Tab): Promise<void> {
  await until("the replica misses its server", async () => !(await statusOf(tab)).isOnline);
}

/** Asks the server, past all replicas, for the first bytes of pages 1 to n. */
export async function assertOnServer(
  { server, vid }: VolumeOnServer,
  expected: readonly number[],
): Promise<void> {
  const client = new GraftClient(server.url);
  const pages = await client.read(vid, undefined, expected.map((_, i) => i + 1));
  assert.deepEqual(expected.map((_, i) => pages.page(i + 1)?.[0]), expected);
}

/** The server's LSN: how many commits the volume has had. */
export async function commitsOnServer({ server, vid }: VolumeOnServer): Promise<number> {
  return (await new GraftClient(server.url).snapshot(vid)).lsn;
}

/** A new volume whose pages 1 to n begin with a byte; the rest of them cannot be compressed. */
export async function newVolume(url: string, count: number, value: number): Promise<string> {
  const client = new GraftClient(url);
  const vid = client.newVolumeId();
  const pages = Array.from({ length: count }, (_, i) => {
    const page = crypto.getRandomValues(new Uint8Array(4096));
    page[0] = value;
    return [i + 1, page] as const;
  });
  await client.push(vid, undefined, pages, count);
  return vid;
}
