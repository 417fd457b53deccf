// What every commit log does. A backend's test file opens a log and runs the suite over it.

import { appendBehaviours } from "./_conformance_appends.ts";
import { followingBehaviours } from "./_conformance_following.ts";
import { readBehaviours } from "./_conformance_reads.ts";
import { sharingBehaviours } from "./_conformance_sharing.ts";
import type { CommitLog } from "./commit_log.ts";

/** A log with what a test can do from outside. */
export interface TestedLog {
  /** The log: empty at first. */
  readonly log: CommitLog;
  /** What the log was told that its subscribers threw. */
  readonly listenerErrors: readonly unknown[];
  /** Does to the collection version what a collector does; undefined where the log has no use for one. */
  readonly collect: (() => Promise<void>) | undefined;
  /** Whether registrations are the log's to keep; where they are not, the objects of segments are. */
  readonly keepsRegistrations: boolean;
  /** Closes the log and opens it again; undefined where nothing would be left of it. */
  readonly reopen: (() => Promise<CommitLog>) | undefined;
  /** Opens the same log a second time, as another process would; undefined where only one may have it. */
  readonly another?: () => Promise<CommitLog>;
  /** Closes what is open, and removes what is left. */
  dispose(): Promise<void>;
}

/** One thing that a log does. */
export type Behaviour = (tested: TestedLog) => Promise<void>;

/** Registers one test for each behaviour. */
export function testCommitLog(backend: string, open: () => Promise<TestedLog>): void {
  const behaviours = {
    ...appendBehaviours,
    ...readBehaviours,
    ...followingBehaviours,
    ...sharingBehaviours,
  };
  for (const [behaviour, check] of Object.entries(behaviours)) {
    Deno.test(`${backend}: ${behaviour}`, async () => {
      const tested = await open();
      try {
        await check(tested);
      } finally {
        await tested.dispose();
      }
    });
  }
}
