/**
 * `graft volume log`
 *
 * @module
 */

import { Command } from "commander";
import { parseGid, type VolumeId } from "../../core/gid.ts";
import { argument } from "../support/arguments.ts";
import { UsageError } from "../support/failure.ts";
import {
  addServerFlags,
  ServerApi,
  type ServerFlags,
  type SnapshotJson,
} from "../support/server_api.ts";
import { type Column, printRows } from "../support/output.ts";

interface Flags extends ServerFlags {
  readonly from?: number;
  readonly limit?: number;
}

interface CommitJson extends SnapshotJson {
  readonly pagesChanged: number;
}

interface LogJson {
  readonly commits: readonly CommitJson[];
  readonly next: number | null;
}

const COLUMNS: readonly Column<CommitJson>[] = [
  { title: "LSN", cell: ({ lsn }) => String(lsn), alignRight: true },
  { title: "COMMITTED", cell: ({ timestamp }) => timestamp },
  { title: "CLIENT", cell: ({ cid }) => cid },
  { title: "CHANGED", cell: ({ pagesChanged }) => String(pagesChanged), alignRight: true },
  { title: "PAGES", cell: ({ pageCount }) => String(pageCount), alignRight: true },
];
/** Commits asked for at once. */
const BATCH = 1000;

/** Shows the commits of a volume. */
export function volumeLogCommand(): Command {
  return addServerFlags(new Command("log"))
    .description(
      "Show the commits of a volume, oldest first: who changed how many pages, and when.",
    )
    .argument("<vid>", "the volume", argument((text) => parseGid("volume", text)))
    .option("--from <lsn>", "the first commit to show (default: the oldest)", argument(parseNumber))
    .option("--limit <count>", "how many to show (default: all)", argument(parseNumber))
    .action(run)
    .addHelpText("after", EXAMPLES);
}

async function run(vid: VolumeId, flags: Flags): Promise<void> {
  const api = new ServerApi(flags);
  const commits: CommitJson[] = [];
  let from: number | undefined = flags.from;
  let left = flags.limit ?? Infinity;
  do {
    const query = { from, limit: Math.min(left, BATCH) };
    const page: LogJson = await api.call("GET", `v1/volumes/${vid}/log`, query);
    commits.push(...page.commits);
    left -= page.commits.length;
    from = page.next ?? undefined;
  } while (from !== undefined && left > 0);
  printRows(commits, COLUMNS, flags.json ?? false);
}

function parseNumber(text: string): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (value >= 1) return value;
  throw new UsageError(`"${text}" is no whole number from 1`);
}

const EXAMPLES = `
Examples:
  graft volume log GonwTRj2SohJzYLLjD9nSq
  graft volume log GonwTRj2SohJzYLLjD9nSq --from 100 --limit 20 --json
`;
