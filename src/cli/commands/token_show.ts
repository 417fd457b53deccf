/**
 * `graft token show`
 *
 * @module
 */

import { Command } from "commander";
import { systemClock } from "../../core/clock.ts";
import { isGraftError } from "../../core/errors.ts";
import { type Claims, requireTime } from "../../server/auth/claims.ts";
import { openToken } from "../../server/auth/tokens.ts";
import {
  authKeyFileOption,
  authKeyOption,
  type KeyFlags,
  requireKeys,
} from "../support/auth_keys.ts";
import { printFields } from "../support/output.ts";

interface Flags extends KeyFlags {
  readonly json?: boolean;
}

/** Shows what a token allows. */
export function tokenShowCommand(): Command {
  return new Command("show")
    .description("Check a token against the key, and show what it allows.")
    .argument("<token>", "the token")
    .addOption(authKeyOption())
    .addOption(authKeyFileOption())
    .option("--json", "print JSON")
    .action(run)
    .addHelpText("after", EXAMPLES);
}

function run(token: string, flags: Flags): void {
  const described = describe(openToken(requireKeys(flags), token));
  if (flags.json) return printFields(described, true);
  printFields({ ...described, expiresAt: described.expiresAt ?? "never" }, false);
}

function describe(claims: Claims) {
  const time = (ms: number | undefined) =>
    ms === undefined ? undefined : new Date(ms).toISOString();
  return {
    subject: claims.subject,
    volumes: claims.volumes === "all" ? "all" : [...claims.volumes],
    can: [...claims.can],
    issuedAt: time(claims.issuedAtMs),
    notBefore: time(claims.notBeforeMs),
    expiresAt: time(claims.expiresAtMs) ?? null,
    valid: isValidNow(claims),
  };
}

function isValidNow(claims: Claims): boolean {
  try {
    requireTime(claims, systemClock.now());
    return true;
  } catch (error) {
    if (isGraftError(error, "unauthorized")) return false;
    throw error;
  }
}

const EXAMPLES = `
Examples:
  graft token show --auth-key-file graft.key "$GRAFT_TOKEN"
`;
