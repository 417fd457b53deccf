// What a page is told that asks for a storage which it cannot have.

import { runInBrowser } from "./harness/run_in_browser.ts";
import { tests as refusals } from "./modules/refusals.ts";

runInBrowser({ module: "refusals", tests: refusals, room: "page", profile: "disk" });
