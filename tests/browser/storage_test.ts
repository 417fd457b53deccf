import { runInBrowser } from "./harness/run_in_browser.ts";
import { tests as idb } from "./modules/idb.ts";
import { tests as memory } from "./modules/memory.ts";
import { tests as opfs } from "./modules/opfs.ts";

for (const room of ["page", "worker"] as const) {
  runInBrowser({ module: "memory", tests: memory, room, profile: "disk" });
  runInBrowser({ module: "idb", tests: idb, room, profile: "disk" });
}
runInBrowser({ module: "opfs", tests: opfs, room: "worker", profile: "disk" });
