/**
 * `graft key new`
 *
 * @module
 */

import { Command } from "commander";
import { systemRandom } from "../../core/random.ts";
import { newAuthKey } from "../../server/auth/keys.ts";
import { printLine } from "../support/output.ts";

/** Makes a key for `serve --auth-key` and `token new`. */
export function keyNewCommand(): Command {
  return new Command("new")
    .description("Make a key that signs tokens: 64 hex digits. Whoever has it may do everything.")
    .option("--json", "print JSON")
    .action(({ json }: { json?: boolean }) => {
      const key = newAuthKey(systemRandom);
      printLine(json ? JSON.stringify({ key }) : key);
    })
    .addHelpText("after", EXAMPLES);
}

const EXAMPLES = `
Examples:
  graft key new > graft.key && chmod 600 graft.key
  graft serve --auth-key-file graft.key
`;
