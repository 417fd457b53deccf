/**
 * `graft volume show`
 *
 * @module
 */

import { Command } from "commander";
import { argument } from "../support/arguments.ts";
import {
  addServerFlags,
  ServerApi,
  type ServerFlags,
  type SnapshotJson,
} from "../support/server_api.ts";
import { printFields } from "../support/output.ts";
import { parseVolumeAt, type VolumeAt } from "../support/volume_at.ts";

/** Shows a volume at its head, or as it was. */
export function volumeShowCommand(): Command {
  return addServerFlags(new Command("show"))
    .description("Show a volume: its newest snapshot, or the one at a point in its history.")
    .argument(
      "<vid[@at]>",
      "the volume; @12 an LSN, @2h that long ago, @2026-05-01T12:00:00Z a time",
      argument(parseVolumeAt),
    )
    .action(run)
    .addHelpText("after", EXAMPLES);
}

async function run({ vid, at }: VolumeAt, flags: ServerFlags): Promise<void> {
  const path = `v1/volumes/${vid}/snapshot`;
  printFields(
    await new ServerApi(flags).call<SnapshotJson>("GET", path, { at }),
    flags.json ?? false,
  );
}

const EXAMPLES = `
Examples:
  graft volume show GonwTRj2SohJzYLLjD9nSq
  graft volume show GonwTRj2SohJzYLLjD9nSq@2h
`;
