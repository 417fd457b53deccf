// The storages where the browser gives hardly any room.

import { runInBrowser } from "./harness/run_in_browser.ts";
import { tests as full } from "./modules/full.ts";

const quotaBytes = 8 * 1024 * 1024;

runInBrowser({ module: "full", tests: full, room: "worker", profile: "disk", quotaBytes });
runInBrowser({
  module: "full",
  tests: full,
  room: "worker",
  profile: "private",
  quotaBytes,
  // In a private window Chromium counts what a failed transaction took until the window is closed, so that
  // IndexedDB stays full.
  only: /opfs:|idb:.*writes nothing/,
});
