// The names of storages in a browser.

import { GraftError } from "../../src/core/errors.ts";

/** Throws GraftError `invalid` unless `name` can be that of a folder. */
export function checkName(url: string, name: string): void {
  if (/^[\w-][\w.-]{0,99}$/.test(name)) return;
  throw new GraftError("invalid", `Cannot open "${url}": the name is not a plain one`, {
    hint: "Use 1 to 100 letters, digits, -, _ and dots, beginning with no dot",
  });
}
