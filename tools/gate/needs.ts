/**
 * What tests need beyond Deno, and how to tell whether it is there.
 *
 * @module
 */

import { chromiumPath } from "../../tests/browser/harness/chromium_path.ts";
import { type ProgramName, programPath } from "../../tests/harness/programs/installed.ts";
import { ORIGINALS_DIRECTORY } from "../../tests/harness/programs/original_servers.ts";
import { RUNTIMES } from "../../tests/runtimes/runtimes.ts";
import { runCommand } from "./command.ts";

/** Something that a suite of tests needs from the machine. */
export type Need =
  | "python"
  | "strace"
  | "tmpfs"
  | "S3 servers"
  | "denokv"
  | "toxiproxy"
  | "chromium"
  | "Node and Bun"
  | "the original's servers";

/** The Python that the interop tests drive: `GRAFT_TEST_PYTHON`, else the one that `.ci/run` set up. */
export function pythonPath(env: { get(name: string): string | undefined } = Deno.env): string {
  const cache = env.get("XDG_CACHE_HOME") ?? `${env.get("HOME") ?? ""}/.cache`;
  return env.get("GRAFT_TEST_PYTHON") ?? `${cache}/graft-ci/venv/bin/python`;
}

interface Probe {
  /** A command that succeeds where the need is met. */
  readonly command: readonly string[];
  /** What to say where it does not. */
  readonly reason: string;
}

const PROBES: Record<Need, () => Probe> = {
  python: () => ({
    command: [pythonPath(), "-c", "import apsw, sqlite_graft"],
    reason: "no Python with sqlite-graft and apsw (.ci/run sets one up; or set GRAFT_TEST_PYTHON)",
  }),
  strace: () => ({
    // A container may hold the program and yet forbid tracing.
    command: ["strace", "-f", "-e", "trace=none", "true"],
    reason: "strace is not installed or not allowed",
  }),
  tmpfs: () => ({
    command: [
      "unshare",
      "--user",
      "--map-root-user",
      "--mount",
      "sh",
      "-c",
      "mount -t tmpfs -o size=64k none /mnt",
    ],
    reason: "this user may not mount a tmpfs in a namespace",
  }),
  "S3 servers": () => built("minio", "versitygw"),
  "Node and Bun": () => ({
    // npx fetches them, once; so this is slow with an empty cache, and fails without the network
    command: [
      "sh",
      "-c",
      'for package; do npx --yes "$package" --version || exit 1; done',
      "sh",
      ...Object.values(RUNTIMES),
    ],
    reason: `npx cannot fetch ${
      Object.values(RUNTIMES).join(", ")
    } (needs Node's npm and its registry)`,
  }),
  "the original's servers": () => ({
    command: ["sh", "-c", 'xz --test "$0"/*.xz', ORIGINALS_DIRECTORY],
    reason:
      "the original's servers are not beside this checkout (../shared/peer), or xz is missing",
  }),
  denokv: () => built("denokv"),
  toxiproxy: () => built("toxiproxy"),
  chromium: () => ({
    command: [chromiumPath(), "--version"],
    reason: "Chromium is not installed (apt-get install chromium; or set GRAFT_TEST_CHROMIUM)",
  }),
};

/** The need for programs that `.ci/run` builds. */
function built(...names: ProgramName[]): Probe {
  return {
    command: [
      "sh",
      "-c",
      'for file; do test -x "$file" || exit 1; done',
      "sh",
      ...names.map(programPath),
    ],
    reason: `${
      names.join(" or ")
    } is not built (deno run -A tools/gate/install_programs.ts; needs Go and Rust)`,
  };
}

/** Why a need is not met; undefined where it is. */
export async function whyMissing(need: Need): Promise<string | undefined> {
  const { command, reason } = PROBES[need]();
  const result = await runCommand(command[0], command.slice(1));
  return result.code === 0 ? undefined : reason;
}
