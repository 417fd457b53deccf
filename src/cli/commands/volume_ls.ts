/**
 * `graft volume ls`
 *
 * @module
 */

import { Command } from "commander";
import {
  addServerFlags,
  ServerApi,
  type ServerFlags,
  type SnapshotJson,
} from "../support/server_api.ts";
import { type Column, printRows } from "../support/output.ts";

interface Flags extends ServerFlags {
  readonly prefix?: string;
}

const COLUMNS: readonly Column<SnapshotJson>[] = [
  { title: "VOLUME", cell: ({ vid }) => vid },
  { title: "LSN", cell: ({ lsn }) => String(lsn), alignRight: true },
  { title: "PAGES", cell: ({ pageCount }) => String(pageCount), alignRight: true },
  { title: "COMMITTED", cell: ({ timestamp }) => timestamp },
  { title: "CLIENT", cell: ({ cid }) => cid },
];

/** Lists volumes. */
export function volumeLsCommand(): Command {
  return addServerFlags(new Command("ls"))
    .description("List the volumes, with their newest snapshot.")
    .option("--prefix <text>", "only those whose id begins so")
    .action(run)
    .addHelpText("after", EXAMPLES);
}

async function run(flags: Flags): Promise<void> {
  const api = new ServerApi(flags);
  const rows: SnapshotJson[] = [];
  let after: string | undefined;
  do {
    const page = await api.call<{ volumes: SnapshotJson[]; next: string | null }>(
      "GET",
      "v1/volumes",
      { prefix: flags.prefix, after, limit: 1000 },
    );
    rows.push(...page.volumes);
    after = page.next ?? undefined;
  } while (after !== undefined);
  printRows(rows, COLUMNS, flags.json ?? false);
}

const EXAMPLES = `
Examples:
  graft volume ls
  graft volume ls --json | jq -r .vid
`;
