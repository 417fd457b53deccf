/**
 * `graft volume create`
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
import { printLine } from "../support/output.ts";

/** Makes a volume. */
export function volumeCreateCommand(): Command {
  return addServerFlags(new Command("create"))
    .description("Make an empty volume, and print its id.")
    .action(run)
    .addHelpText("after", EXAMPLES);
}

async function run(flags: ServerFlags): Promise<void> {
  const snapshot = await new ServerApi(flags).call<SnapshotJson>("POST", "v1/volumes");
  printLine(flags.json ? JSON.stringify(snapshot) : snapshot.vid);
}

const EXAMPLES = `
Clients may also invent an id: a volume exists from its first commit on.

Examples:
  graft volume create
  vid=$(graft volume create --server https://graft.example.com --token "$GRAFT_TOKEN")
`;
