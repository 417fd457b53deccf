/**
 * `graft token new`
 *
 * @module
 */

import { Command, Option } from "commander";
import { systemClock } from "../../core/clock.ts";
import { GraftError } from "../../core/errors.ts";
import { parseGid, type VolumeId } from "../../core/gid.ts";
import { systemRandom } from "../../core/random.ts";
import { type Claims, type Verb, VERBS } from "../../server/auth/claims.ts";
import { signToken } from "../../server/auth/tokens.ts";
import { parseDuration } from "../../server/duration.ts";
import { argument, listArgument } from "../support/arguments.ts";
import {
  authKeyFileOption,
  authKeyOption,
  type KeyFlags,
  requireKeys,
} from "../support/auth_keys.ts";
import { printLine } from "../support/output.ts";

interface Flags extends KeyFlags {
  readonly sub: string;
  readonly volumes?: readonly (VolumeId | "all")[];
  readonly can?: readonly Verb[];
  readonly expires?: number;
  readonly json?: boolean;
}

/** Makes a token. */
export function tokenNewCommand(): Command {
  return new Command("new")
    .description("Make a token for a client. It does not expire unless told to.")
    .requiredOption("--sub <name>", "whom it is for", argument(parseSubject))
    .addOption(
      new Option("--volumes <vid...>", "the volumes it is good for (default: all)")
        .argParser(listArgument(parseVolume)),
    )
    .addOption(
      new Option("--can <verb...>", `what it allows: ${VERBS.join(", ")} (default: all of them)`)
        .argParser(listArgument(parseVerb)),
    )
    .option(
      "--expires <duration>",
      "how long it is good for, as 12h or 30d",
      argument(parseDuration),
    )
    .addOption(authKeyOption())
    .addOption(authKeyFileOption())
    .option("--json", "print JSON")
    .action(run)
    .addHelpText("after", EXAMPLES);
}

function run(flags: Flags): void {
  const [key] = requireKeys(flags);
  const nowMs = systemClock.now();
  const claims: Claims = {
    subject: flags.sub,
    volumes: volumesOf(flags),
    can: new Set(flags.can ?? VERBS),
    issuedAtMs: nowMs,
    notBeforeMs: undefined,
    expiresAtMs: flags.expires === undefined ? undefined : nowMs + flags.expires,
  };
  const token = signToken(key, claims, systemRandom);
  printLine(flags.json ? JSON.stringify({ token }) : token);
}

function volumesOf({ volumes = ["all"] }: Flags): Claims["volumes"] {
  const named = volumes.filter((vid): vid is VolumeId => vid !== "all");
  return named.length === volumes.length ? new Set(named) : "all";
}

function parseSubject(text: string): string {
  if (text.trim() !== "") return text;
  throw new GraftError("invalid", "it is empty, so nobody could tell whom the token is for");
}

function parseVolume(text: string): VolumeId | "all" {
  return text === "all" ? text : parseGid("volume", text);
}

function parseVerb(text: string): Verb {
  const verb = VERBS.find((known) => known === text);
  if (verb !== undefined) return verb;
  throw new GraftError("invalid", `"${text}" is none of ${VERBS.join(", ")}`);
}

const EXAMPLES = `
The key comes from --auth-key, --auth-key-file or the variables of serve
(GRAFT_SERVE_AUTH_KEY, GRAFT_SERVE_AUTH_KEY_FILE).

Examples:
  graft token new --auth-key-file graft.key --sub laptop
  graft token new --auth-key-file graft.key --sub reader --volumes GonwTRj2SohJzYLLjD9nSq --can read --expires 30d
`;
