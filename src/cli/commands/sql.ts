/**
 * `graft sql`
 *
 * @module
 */

import process from "node:process";
import { Command, Option } from "commander";
import { type Database, openDatabase, splitStatements } from "../../../client/sqlite/mod.ts";
import { GraftError } from "../../core/errors.ts";
import { formatRows, type RowsFormat } from "../sql/rows_format.ts";
import { appendHistory, readHistory } from "../sql/history.ts";
import { changed, runShell } from "../sql/shell.ts";
import { SqlSession } from "../sql/sql_session.ts";
import { describeError } from "../support/failure.ts";
import { argument } from "../support/arguments.ts";
import { printLine, printNote } from "../support/output.ts";
import { addServerFlags, serverAddress, type ServerFlags } from "../support/server_api.ts";
import { parseVolumeAt, type VolumeAt } from "../support/volume_at.ts";

interface Flags extends ServerFlags {
  readonly csv?: boolean;
}

/** Runs SQL on a volume: what is given, or what is typed. */
export function sqlCommand(): Command {
  return addServerFlags(new Command("sql"))
    .description("Run SQL on a volume: one or several statements, or a shell.")
    .argument(
      "<vid[@at]>",
      "the volume; @12 an LSN, @2h that long ago, @2026-05-01T12:00:00Z a time: read-only",
      argument(parseVolumeAt),
    )
    .argument("[statements]", "what to run; without it a shell, or what stands on stdin")
    .addOption(new Option("--csv", "print CSV").conflicts("json"))
    .action(run)
    .addHelpText("after", EXAMPLES);
}

async function run(volume: VolumeAt, statements: string | undefined, flags: Flags): Promise<void> {
  const { url, token } = serverAddress(flags);
  await using database = await openDatabase(url, volume.vid, { token, at: atOf(volume) });
  requireThere(database);
  const format: RowsFormat = flags.json ? "json" : flags.csv ? "csv" : "table";
  await andSync(database, async () => {
    if (statements !== undefined) await runAll(database, statements, format);
    else if (process.stdin.isTTY) await runTyped(database, volume, format);
    else await runAll(database, await new Response(Deno.stdin.readable).text(), format);
  });
}

/** What was committed here is nowhere else when this process ends, also where a later statement failed. */
async function andSync(database: Database, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    await sync(database).catch((late) => printNote(`error: ${describeError(late)}`));
    throw error;
  }
  await sync(database);
}

async function sync(database: Database): Promise<void> {
  if (!database.replica.isReadOnly) await database.sync();
}

function requireThere(database: Database): void {
  if (database.status().lsn !== undefined) return;
  throw new GraftError("missing", `Cannot open volume "${database.vid}": it is not there`, {
    hint: "graft volume create makes one, graft import one of a SQLite file",
  });
}

function atOf({ at }: VolumeAt): string | number | undefined {
  return at !== undefined && /^\d+$/.test(at) ? Number(at) : at;
}

async function runAll(database: Database, sql: string, format: RowsFormat): Promise<void> {
  const session = new SqlSession(database);
  const { statements, rest } = await splitStatements(sql);
  try {
    for (const statement of [...statements, rest]) {
      const outcome = await session.run(statement);
      const { rowsAffected } = outcome;
      for (const line of formatRows(outcome, format)) printLine(line);
      if (rowsAffected !== undefined && format === "table") printNote(changed(rowsAffected));
    }
    if (session.isInTransaction) {
      throw new GraftError("invalid", "Cannot end with a transaction open: it was rolled back", {
        hint: "End it with commit",
      });
    }
  } finally {
    await session.close();
  }
}

async function runTyped(
  database: Database,
  { vid, at }: VolumeAt,
  format: RowsFormat,
): Promise<void> {
  printNote(`${vid}${at === undefined ? "" : ` at ${at}`} (.help, .quit)`);
  await runShell({
    database,
    format,
    isTerminal: true,
    name: "graft",
    input: process.stdin,
    output: process.stdout,
    history: await readHistory(),
    onLine: appendHistory,
  });
}

const EXAMPLES = `
Blobs are printed as x'…'. What is committed is on the server when the command ends.

Examples:
  graft sql GonwTRj2SohJzYLLjD9nSq "select count(*) from notes"
  graft sql GonwTRj2SohJzYLLjD9nSq@2h "select * from notes" --csv > notes.csv
  graft sql GonwTRj2SohJzYLLjD9nSq < migration.sql
  graft sql GonwTRj2SohJzYLLjD9nSq
`;
