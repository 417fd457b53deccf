// The conformance suite over `memory:`.

import { testStorage } from "../../../client/storage/_conformance.ts";
import { BrowserTests } from "../page/browser_tests.ts";
import { makePlace } from "./_places.ts";

/** The tests of this module. */
export const tests: BrowserTests = new BrowserTests();

testStorage({ name: "memory:", makePlace: () => makePlace("memory"), isKept: false }, tests.test);
tests.serve();
