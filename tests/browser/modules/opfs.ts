// The conformance suite over `opfs:`.

import { testStorage } from "../../../client/storage/_conformance.ts";
import { BrowserTests } from "../page/browser_tests.ts";
import { makePlace } from "./_places.ts";

/** The tests of this module. */
export const tests: BrowserTests = new BrowserTests();

testStorage({ name: "opfs:", makePlace: () => makePlace("opfs"), isKept: true }, tests.test);
tests.serve();
