// The conformance suite over storages that the browser gives hardly any room.

import { testFullStorage } from "../../../client/storage/_conformance.ts";
import { BrowserTests } from "../page/browser_tests.ts";
import { makePlace } from "./_places.ts";

/** The tests of this module. */
export const tests: BrowserTests = new BrowserTests();

for (const scheme of ["idb", "opfs"]) {
  testFullStorage(
    { name: `${scheme}:`, makePlace: () => makePlace(scheme), isKept: true },
    tests.test,
  );
}
tests.serve();
