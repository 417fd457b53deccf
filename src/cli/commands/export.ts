/**
 * `graft export`
 *
 * @module
 */

import { Command } from "commander";
import { systemClock } from "../../core/clock.ts";
import { GraftError, isGraftError } from "../../core/errors.ts";
import { PAGE_SIZE } from "../../core/limits.ts";
import { exportDatabase } from "../export/export_database.ts";
import { VolumeSource } from "../export/volume_source.ts";
import { TargetFile } from "../export/target_file.ts";
import { argument } from "../support/arguments.ts";
import { collectGarbage } from "../support/collect_garbage.ts";
import { printFields, printNote } from "../support/output.ts";
import { Progress, standardError } from "../support/progress.ts";
import {
  addServerFlags,
  serverAddress,
  ServerApi,
  type ServerFlags,
  type SnapshotJson,
} from "../support/server_api.ts";
import { onStopSignal } from "../support/signals.ts";
import { parseVolumeAt, type VolumeAt } from "../support/volume_at.ts";

interface Flags extends ServerFlags {
  readonly force?: boolean;
  readonly check: boolean;
}

/** Pages after which their remains are looked for: 32 MiB, a multiple of what is read at once. */
const COLLECT_PAGES = 8192;

/** Writes a volume into an SQLite file. */
export function exportCommand(): Command {
  return addServerFlags(new Command("export"))
    .description("Write a volume into an SQLite file: its newest snapshot, or as it was.")
    .argument(
      "<vid[@at]>",
      "the volume; @12 an LSN, @2h that long ago, @2026-05-01T12:00:00Z a time",
      argument(parseVolumeAt),
    )
    .argument("<file>", "the file to write")
    .option("--force", "replace a file that is there")
    .option("--no-check", "do not look for damage at the end")
    .action(run)
    .addHelpText("after", EXAMPLES);
}

async function run({ vid, at }: VolumeAt, file: string, flags: Flags): Promise<void> {
  const stop = new AbortController();
  const path = `v1/volumes/${vid}/snapshot`;
  const snapshot = await new ServerApi(flags).call<SnapshotJson>("GET", path, { at });
  const { lsn, pageCount, timestamp } = snapshot;
  const source = new VolumeSource(snapshot, serverAddress(flags), stop.signal);
  const stopListening = onStopSignal(() => stop.abort());
  const progress = new Progress(
    "Exporting",
    pageCount * PAGE_SIZE,
    standardError(),
    systemClock,
  );
  try {
    using target = TargetFile.create(file, flags.force ?? false);
    await exportDatabase(source, target, {
      check: flags.check,
      onProgress: (pages) => {
        progress.at(pages * PAGE_SIZE);
        if (pages % COLLECT_PAGES === 0) collectGarbage();
      },
      onStep: (step) => {
        progress.end();
        printNote(step);
      },
    });
  } catch (error) {
    if (!isGraftError(error, "aborted")) throw error;
    throw new GraftError("aborted", `Cannot export volume "${vid}": it was interrupted`, {
      cause: error,
      hint: `Nothing was written to "${file}"`,
    });
  } finally {
    progress.end();
    stopListening();
  }
  printFields({ vid, lsn, timestamp, pageCount, file }, flags.json ?? false);
}

const EXAMPLES = `
The file is FILE.partial until it is whole and checked. An export that was interrupted is begun anew.

Examples:
  graft export GonwTRj2SohJzYLLjD9nSq app.db
  graft export GonwTRj2SohJzYLLjD9nSq@120 app-120.db
  graft export GonwTRj2SohJzYLLjD9nSq@2h app.db --force
  graft export GonwTRj2SohJzYLLjD9nSq@2026-11-22T10:00:00Z app.db --json
`;
