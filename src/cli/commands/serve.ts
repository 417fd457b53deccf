/**
 * `graft serve`
 *
 * @module
 */

import { Command, Option } from "commander";
import { GraftError, isGraftError } from "../../core/errors.ts";
import { type S3Settings, s3SettingsFrom } from "../../objects/s3/s3_settings.ts";
import { parseAddress } from "../../server/address.ts";
import { parseDuration } from "../../server/duration.ts";
import {
  defaultListen,
  GRACE_MS_MIN,
  type GraftServer,
  type Role,
  startServer,
} from "../../server/mod.ts";
import { parseOrigin } from "../../server/origin.ts";
import { argument, listArgument } from "../support/arguments.ts";
import { authKeyFileOption, authKeyOption, type KeyFlags, readKeys } from "../support/auth_keys.ts";
import { UsageError } from "../support/failure.ts";
import { LOG_LEVELS, logToStderr } from "../support/logging.ts";
import { printLine } from "../support/output.ts";
import { fillSettings } from "../support/settings.ts";
import { onStopSignal } from "../support/signals.ts";
import { parseSize } from "../support/size.ts";
import { readVariables, SERVE_PREFIX } from "../support/variables.ts";
import { VERSION } from "../support/version.ts";

interface Flags extends KeyFlags {
  readonly listen?: readonly string[];
  readonly role?: Role;
  readonly data?: string;
  readonly objects?: string;
  readonly log?: string;
  readonly insecureNoAuth?: boolean;
  readonly cors?: readonly string[];
  readonly cacheBytes?: number;
  readonly diskCacheBytes?: number;
  readonly bodyLimitBytes?: number;
  readonly retain?: number;
  readonly grace?: number;
  readonly logLevel?: (typeof LOG_LEVELS)[number];
  readonly json?: boolean;
}

/** Runs a server until it is told to stop. */
export function serveCommand(): Command {
  return addLimits(addPlaces(new Command("serve")))
    .description("Run a server: metastore, pagestore, or both.")
    .option("--config <file>", "a TOML file whose keys are these flags; none is read unasked")
    .option("--json", "print the line that says where it listens as JSON")
    .action(run)
    .addHelpText("after", EXAMPLES);
}

function addPlaces(command: Command): Command {
  return command
    .addOption(
      new Option("--listen <address...>", `where, as HOST:PORT (default: ${defaultListen("all")})`)
        .argParser(listArgument(checkAddress)),
    )
    .addOption(
      new Option(
        "--role <role>",
        "which calls are answered (default: all; metastore listens on 3001)",
      )
        .choices(["all", "metastore", "pagestore"]),
    )
    .option("--data <dir>", "the data directory, held by one process (default: ./graft-data)")
    .option(
      "--objects <url>",
      "where segments are: file:DIR, s3://BUCKET/PREFIX, memory: (default: in the data directory)",
    )
    .option(
      "--log <url>",
      "where commits are: kv:FILE, kv+https://HOST, s3://BUCKET/PREFIX, memory: (default: log.kv in the data directory)",
    )
    .addOption(authKeyOption())
    .addOption(authKeyFileOption())
    .option("--insecure-no-auth", "listen beyond loopback although no key is given")
    .addOption(
      new Option("--cors <origin...>", "origins whose web pages may call; * for all")
        .argParser(listArgument(parseOrigin)),
    );
}

function addLimits(command: Command): Command {
  return command
    .option("--cache-bytes <size>", "memory for caches (default: 256MiB)", argument(parseSize))
    .option(
      "--disk-cache-bytes <size>",
      "disk for the cache of objects in S3; 0: none (default: 1GiB)",
      argument(parseSize),
    )
    .option(
      "--body-limit-bytes <size>",
      "the longest page write (default: 1GiB)",
      argument(parseSize),
    )
    .option(
      "--retain <duration>",
      "how long history stays readable; without effect yet (default: 7d)",
      argument(parseDuration),
    )
    .option(
      "--grace <duration>",
      "a commit takes segments up to half of it old; at least 2h (default: 24h)",
      argument(parseGrace),
    )
    .addOption(
      new Option("--log-level <level>", "what is logged (default: info)").choices(LOG_LEVELS),
    );
}

async function run(_: Flags, command: Command): Promise<void> {
  fillSettings(command, SERVE_PREFIX, readVariables(SERVE_PREFIX));
  const flags = command.opts<Flags>();
  logToStderr(flags.logLevel ?? "info");
  const authKeys = readKeys(flags);
  const server = await start(flags, authKeys);
  const stopListening = onStopSignal(() => void server.close().catch(() => {}));
  announce(server, flags, authKeys.length > 0);
  await server.finished;
  stopListening();
}

async function start(flags: Flags, authKeys: readonly string[]): Promise<GraftServer> {
  try {
    return await startServer({
      ...flags,
      s3: s3Settings(flags),
      authKeys,
      graceMs: flags.grace,
      retainMs: flags.retain,
    });
  } catch (error) {
    if (isGraftError(error, "invalid")) {
      throw new UsageError(
        error.hint === undefined ? error.message : `${error.message}\n  ${error.hint}`,
      );
    }
    // nothing that a start meets is a server out of reach, so the program just failed
    throw new GraftError("internal", (error as Error).message, {
      cause: error,
      hint: isGraftError(error) ? error.hint : undefined,
    });
  }
}

/** The variables of S3 are only looked at where an address is there. */
function s3Settings({ objects, log }: Flags): S3Settings | undefined {
  const isThere = [objects, log].some((address) => address?.startsWith("s3:"));
  return isThere ? s3SettingsFrom(Deno.env) : undefined;
}

function announce({ urls, dataPath }: GraftServer, flags: Flags, hasKey: boolean): void {
  const role = flags.role ?? "all";
  const auth = hasKey ? "on" : "off";
  if (flags.json) {
    const data = dataPath ?? null;
    return printLine(JSON.stringify({ version: VERSION, urls, role, data, auth }));
  }
  const calls = role === "all" ? `Graft ${VERSION}` : `Graft ${VERSION}'s ${role}`;
  const reach = hasKey
    ? "tokens are required"
    : flags.insecureNoAuth
    ? "anyone who reaches it may read and write"
    : "no tokens, loopback only";
  printLine(`${calls} is listening on ${urls.join(" and ")}`);
  printLine(`Data: ${dataPath ?? "not in a directory"}`);
  printLine(`Auth: ${auth} (${reach})`);
}

function checkAddress(text: string): string {
  parseAddress(text);
  return text;
}

function parseGrace(text: string): number {
  const graceMs = parseDuration(text);
  if (graceMs >= GRACE_MS_MIN) return graceMs;
  throw new UsageError(`"${text}" is too short: the grace is at least 2h`);
}

const EXAMPLES = `
Every flag but --help is also a variable (GRAFT_SERVE_LOG_LEVEL for --log-level),
and all but --config are keys of the configuration (log-level = "debug"). A flag beats a variable, a variable
beats the configuration.

S3 takes its settings from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION and
AWS_ENDPOINT_URL_S3 (for what is not AWS); KV Connect its token from DENO_KV_ACCESS_TOKEN.

Examples:
  graft serve
  graft serve --listen 0.0.0.0:3000 --auth-key-file graft.key --data /var/lib/graft
  graft serve --objects s3://my-bucket/graft
  graft serve --role pagestore --objects s3://my-bucket/graft --log kv+https://kv.example.com
  graft serve --listen 127.0.0.1:0 --log memory: --objects memory: --json
`;
