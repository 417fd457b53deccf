// A log on a disk that is really full: a tmpfs of 4 MiB, in a namespace of its own so that no right
// beyond an ordinary user's is needed.

import { deepEqual, ok } from "node:assert/strict";

const MOUNT_AND_RUN = 'mount -t tmpfs -o size=4m none "$1" && exec "$2" run -A --no-lock "$3" "$1"';

async function runOnSmallDisk(directory: string): Promise<unknown> {
  const child = new URL("log_full_disk_child.ts", import.meta.url).pathname;
  const namespace = ["--user", "--map-root-user", "--mount"];
  const { success, stdout, stderr } = await new Deno.Command("unshare", {
    args: [...namespace, "sh", "-c", MOUNT_AND_RUN, "sh", directory, Deno.execPath(), child],
  }).output();
  ok(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test("a full disk makes commits unavailable, loses none, and takes more when there is room", async () => {
  const directory = await Deno.makeTempDir({ prefix: "graft-full-log-" });
  try {
    deepEqual(await runOnSmallDisk(directory), {
      filled: true,
      filledMore: true,
      refused: ["unavailable"],
      refusedAgain: ["unavailable"],
      healthyWhileFull: false,
      wholeWhileFull: true,
      landsWithRoom: [true, true, true, true],
      wholeWithRoom: true,
      healthyWithRoom: true,
      wholeWhenOpenedAgain: true,
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
