/**
 * What a push carries.
 *
 * @module
 */

import { toPageCount } from "../../src/core/page.ts";
import { PageSet } from "../../src/core/page_set.ts";
import type { RemoteCommit } from "./remote/remote.ts";
import { lowestOf } from "./local/local_line.ts";
import type { ReplicaStore } from "./local/replica_store.ts";
import type { PushUnderWay } from "./local/rows.ts";
import { pagesFrom } from "./pages_from.ts";

/** The line up to the push's last state as one transaction: of each page the newest version. */
export function describePush(store: ReplicaStore, push: PushUnderWay): RemoteCommit {
  const { vid, cid, base } = store;
  const line = store.line.filter(({ state }) => state <= push.last);
  const pageCount = toPageCount(line.at(-1)?.pageCount ?? 0);
  const written = PageSet.union(line.map(({ pages }) => pages));
  // what was cut off and lies below the page count again: the server's history would bring it back
  const cut = pagesFrom(lowestOf(line) + 1, Math.min(pageCount, base?.pageCount ?? 0));
  const pageSet = written.union(cut).intersection(pagesFrom(1, pageCount));
  return {
    vid,
    cid,
    requestId: push.requestId,
    base,
    pageCount,
    pageSet,
    async *pages() {
      for (const pageIdx of pageSet) yield [pageIdx, await store.pushedPage(pageIdx)] as const;
    },
  };
}
