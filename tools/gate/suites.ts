/**
 * The test suites, and how one is run.
 *
 * @module
 */

import { runDeno } from "./command.ts";
import { addTallies, EMPTY_TALLY, type Tally, tallyReport } from "./junit.ts";
import { type Need, whyMissing } from "./needs.ts";

/** Tests that one runner runs. */
export interface Suite {
  /** What it is called in the report. */
  readonly name: string;
  /** The arguments of `deno test`. */
  readonly args: readonly string[];
  /** What it needs beyond Deno. A suite whose needs are not met is skipped; in CI that is a failure. */
  readonly needs: readonly Need[];
  /** Whether it needs what no machine can fetch: then it may be skipped in CI, too. Default: false. */
  readonly isOptional?: boolean;
}

/** How a suite ended. */
export interface SuiteResult {
  /** The numbers. */
  readonly tally: Tally;
  /** Why the suite did not run at all; undefined where it did. */
  readonly skippedBecause: string | undefined;
  /** What the runner wrote. */
  readonly output: string;
  /** How long it took. */
  readonly seconds: number;
}

/** A suite that hangs is a failure, not a job that never ends. Far above what the slowest takes. */
const SUITE_MS_MAX = 30 * 60_000;

const KILL = "tests/durability/server_kill_test.ts";
// What needs a tool says so in its name, so that a new test of the kind is found without a list.
const FULL_DISK = "tests/**/*full_disk_test.ts";
const FSYNC = "tests/**/*fsync_test.ts";
const S3 = ["src/**/*s3_test.ts", "tests/**/*s3_test.ts"];
const DENOKV = ["src/**/*denokv_test.ts", "tests/**/*denokv_test.ts"];
const CLUSTER = "tests/cluster";
const BROWSER = "tests/browser";
const RUNTIMES = "tests/runtimes";
const PEER = "tests/peer";
const APART = [
  "tests/interop",
  KILL,
  FULL_DISK,
  FSYNC,
  ...S3,
  ...DENOKV,
  CLUSTER,
  BROWSER,
  RUNTIMES,
  PEER,
];

/** Every suite. What needs a tool or the whole machine stands apart; the rest is one run. */
export const SUITES: readonly Suite[] = [
  {
    name: "unit tests and examples",
    args: ["--doc", "--parallel", `--ignore=${APART.join()}`, "."],
    needs: [],
  },
  { name: "interop", args: ["tests/interop"], needs: ["python"] },
  { name: "kill -9", args: [KILL], needs: [] },
  { name: "full disk", args: [FULL_DISK], needs: ["tmpfs"] },
  { name: "fsync", args: [FSYNC], needs: ["strace"] },
  { name: "S3", args: S3, needs: ["S3 servers", "toxiproxy"] },
  { name: "KV Connect", args: DENOKV, needs: ["denokv"] },
  {
    name: "many processes",
    args: [CLUSTER],
    needs: ["S3 servers", "denokv", "toxiproxy", "python"],
  },
  { name: "browser", args: [BROWSER], needs: ["chromium"] },
  { name: "Node and Bun", args: [RUNTIMES], needs: ["Node and Bun"] },
  {
    name: "the original's servers",
    args: [PEER],
    needs: ["the original's servers"],
    isOptional: true,
  },
];

/**
 * Runs a suite once.
 *
 * @param suite What to run.
 * @param strict Whether a skip is a failure, as in CI.
 */
export async function runSuite(suite: Suite, strict: boolean): Promise<SuiteResult> {
  for (const need of suite.needs) {
    const reason = await whyMissing(need);
    if (reason !== undefined) return skippedSuite(reason, strict && suite.isOptional !== true);
  }
  const directory = await Deno.makeTempDir({ prefix: "graft-junit-" });
  try {
    const report = `${directory}/report.xml`;
    const { code, output, seconds } = await runDeno(
      ["test", "--allow-all", "--frozen", `--junit-path=${report}`, ...suite.args],
      { env: { NO_COLOR: "1" }, signal: AbortSignal.timeout(SUITE_MS_MAX) },
    );
    const tally = judge(tallyReport(await readOrNothing(report)), code, strict);
    return { tally, skippedBecause: undefined, output, seconds };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function skippedSuite(reason: string, strict: boolean): SuiteResult {
  const tally = strict ? { ...EMPTY_TALLY, failed: 1 } : EMPTY_TALLY;
  return { tally, skippedBecause: reason, output: "", seconds: 0 };
}

/**
 * A tally, corrected by what its cases cannot say: a runner that failed without a failed case (a file
 * that does not load) counts as one failure, and in CI so does every skipped case.
 */
export function judge(tally: Tally, code: number, strict: boolean): Tally {
  const skippedFailures = strict ? tally.skipped.length : 0;
  const silentFailure = code !== 0 && tally.failed === 0 ? 1 : 0;
  return addTallies(tally, { ...EMPTY_TALLY, failed: skippedFailures + silentFailure });
}

async function readOrNothing(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
