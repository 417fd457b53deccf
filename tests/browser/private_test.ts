// The storages in a private window.

import { runInBrowser } from "./harness/run_in_browser.ts";
import { tests as idb } from "./modules/idb.ts";
import { tests as opfs } from "./modules/opfs.ts";

runInBrowser({ module: "idb", tests: idb, room: "page", profile: "private" });
runInBrowser({ module: "opfs", tests: opfs, room: "worker", profile: "private" });
