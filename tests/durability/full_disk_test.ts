// A disk store on a disk that is really full: a tmpfs of 4 MiB, in a namespace of its own so that no
// right beyond an ordinary user's is needed.

import { deepEqual, ok } from "node:assert/strict";

const MOUNT_AND_RUN = 'mount -t tmpfs -o size=4m none "$1" && shift && exec "$@"';

async function runOnSmallDisk(directory: string): Promise<Record<string, unknown>> {
  const child = new URL("full_disk_child.ts", import.meta.url).pathname;
  const program = [Deno.execPath(), "run", "-A", "--no-lock", child, `${directory}/store`];
  const namespace = ["--user", "--map-root-user", "--mount"];
  const { success, stdout, stderr } = await new Deno.Command("unshare", {
    args: [...namespace, "sh", "-c", MOUNT_AND_RUN, "sh", directory, ...program],
  }).output();
  ok(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test("a full disk refuses, keeps what it has, and works again when there is room", async () => {
  const directory = await Deno.makeTempDir({ prefix: "graft-full-disk-" });
  try {
    const { stored, ...report } = await runOnSmallDisk(directory);
    // 4 MiB hold 13 objects of 300,000 bytes
    deepEqual(stored, 13);
    deepEqual(report, {
      refused: "unavailable",
      refusedAgain: "unavailable",
      refusedAtOnce: ["unavailable", "unavailable"],
      refusedReplacement: "unavailable",
      refusedIfAbsent: "unavailable",
      keysWhileFull: 13,
      temporaryFilesWhileFull: 0,
      wholeWhileFull: true,
      deleted: "done",
      storedAgain: "done",
      wholeAgain: true,
      temporaryFiles: 0,
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
