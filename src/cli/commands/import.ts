/**
 * `graft import`
 *
 * @module
 */

import { Command } from "commander";
import { systemClock } from "../../core/clock.ts";
import { GraftError } from "../../core/errors.ts";
import { newGid, parseGid, type VolumeId } from "../../core/gid.ts";
import { PAGE_SIZE } from "../../core/limits.ts";
import { systemRandom } from "../../core/random.ts";
import { importDatabase, type Imported } from "../import/import_database.ts";
import { replaceDatabase } from "../import/replace_database.ts";
import { SourceDatabase } from "../import/source_database.ts";
import { VolumeTarget } from "../import/volume_target.ts";
import { argument } from "../support/arguments.ts";
import { printLine, printNote } from "../support/output.ts";
import { Progress, standardError } from "../support/progress.ts";
import {
  addServerFlags,
  serverAddress,
  ServerApi,
  type ServerFlags,
} from "../support/server_api.ts";
import { onStopSignal } from "../support/signals.ts";

interface Flags extends ServerFlags {
  readonly volume?: VolumeId;
  readonly replace?: boolean;
  readonly check: boolean;
}

/** Writes an SQLite database into a volume. */
export function importCommand(): Command {
  return addServerFlags(new Command("import"))
    .description("Write an SQLite database into a volume, and print the volume's id.")
    .argument("<file>", "the database; other programs may read it meanwhile")
    .option(
      "--volume <vid>",
      "an empty volume, or one into which the import of this file was interrupted (default: a new one)",
      argument((text) => parseGid("volume", text)),
    )
    .option("--replace", "commit over what the volume has; that stays readable at its LSN")
    .option("--no-check", "do not look for damage first")
    .action(run)
    .addHelpText("after", EXAMPLES);
}

async function run(file: string, flags: Flags): Promise<void> {
  const stop = new AbortController();
  const address = serverAddress(flags);
  const vid = flags.volume ?? newGid("volume", systemClock, systemRandom);
  const target = new VolumeTarget(vid, new ServerApi(flags), address, stop.signal);
  // a server that is not there is told of before a large file is read
  const found = await target.head();
  using source = await SourceDatabase.open(file, { check: flags.check, onStep: printNote });
  const bytes = source.pageCount * PAGE_SIZE;
  printNote(`Importing ${source.pageCount} pages into volume ${vid}`);
  const progress = new Progress("Importing", bytes, standardError(), systemClock);
  const onProgress = (pages: number) => progress.at(pages * PAGE_SIZE);
  const stopListening = onStopSignal(() => stop.abort());
  try {
    const imported = flags.replace && found !== undefined && found.pageCount > 0
      ? await replaceDatabase(source, target, found, onProgress)
      : await importDatabase(source, target, { onProgress });
    progress.end();
    print(vid, imported, source, flags);
  } catch (error) {
    throw withCommand(error, file, vid, flags);
  } finally {
    progress.end();
    stopListening();
  }
}

function print(vid: VolumeId, imported: Imported, source: SourceDatabase, flags: Flags): void {
  const { head: { lsn }, pagesFound } = imported;
  const { pageCount, originalPageSize } = source;
  if (flags.json) {
    return printLine(JSON.stringify({ vid, lsn, pageCount, pagesFound, originalPageSize }));
  }
  const found = pagesFound > 0 ? `; ${pagesFound} of them were there already` : "";
  printNote(`Volume ${vid} has all ${pageCount} pages at LSN ${lsn}${found}`);
  printLine(vid);
}

/** Says how to go on after an interruption. */
function withCommand(error: unknown, file: string, vid: VolumeId, flags: Flags): unknown {
  if (!(error instanceof GraftError)) return error;
  if (error.code !== "aborted" && error.code !== "unavailable") return error;
  const server = flags.server === undefined ? "" : ` --server ${flags.server}`;
  const replace = flags.replace ? " --replace" : "";
  const message = error.code === "aborted"
    ? `Cannot import "${file}": it was interrupted`
    : error.message;
  return new GraftError(error.code, message, {
    cause: error,
    hint: `Go on with: graft import ${quoted(file)} --volume ${vid}${replace}${server}`,
  });
}

/** An argument as a shell takes it. */
function quoted(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

const EXAMPLES = `
The file is checked first, and not changed. Its pages have to have 4,096 bytes and no WAL: of any other
database a copy is made in the directory of temporary files (variable TMPDIR), which needs as much room.
After an interruption the same command with --volume goes on where it was.

Examples:
  graft import app.db
  vid=$(graft import app.db --server https://graft.example.com --token "$GRAFT_TOKEN")
  graft import app.db --volume GonwTRj2SohJzYLLjD9nSq
  graft import app.db --volume GonwTRj2SohJzYLLjD9nSq --replace
`;
