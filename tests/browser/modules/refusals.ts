// What a page is told that asks for a storage which it cannot have.

import { ok, rejects } from "node:assert/strict";
import { openStorage } from "../../../client/storage/open_storage.ts";
import { type GraftErrorCode, isGraftError } from "../../../src/core/errors.ts";
import { BrowserTests } from "../page/browser_tests.ts";

/** The tests of this module, to be run in a page. */
export const tests: BrowserTests = new BrowserTests();

const REFUSALS:
  readonly (readonly [url: string, code: GraftErrorCode, message: RegExp, hint: RegExp])[] = [
    ["opfs:a", "invalid", /this is no dedicated worker$/, /dedicated worker, or use "idb:a"$/],
    ["opfs:a/b", "invalid", /the name is not a plain one$/, /letters, digits/],
    ["idb:..", "invalid", /the name is not a plain one$/, /letters, digits/],
    ["sqlite:a", "invalid", /there is no node:sqlite here$/, /in a browser use opfs: or idb:/],
  ];

for (const [url, code, message, hint] of REFUSALS) {
  tests.test(`"${url}" is refused with a way out`, () =>
    rejects(openStorage(url), (error) => {
      ok(isGraftError(error, code), `${error}`);
      ok(message.test(error.message), error.message);
      ok(hint.test(error.hint ?? ""), error.hint);
      return true;
    }));
}
tests.serve();
