/**
 * Keys from flags, files and variables.
 *
 * @module
 */

import { Option } from "commander";
import { type AuthKey, parseAuthKey } from "../../server/auth/keys.ts";
import { listArgument } from "./arguments.ts";
import { UsageError } from "./failure.ts";
import { readVariable } from "./variables.ts";

/** Where keys may come from. */
export interface KeyFlags {
  /** Keys on the command line. */
  readonly authKey?: readonly AuthKey[];
  /** A file with one key a line. */
  readonly authKeyFile?: string;
}

/** `--auth-key`. */
export function authKeyOption(): Option {
  return new Option(
    "--auth-key <hex...>",
    "keys of 64 hex digits; the first signs, all are accepted",
  )
    .argParser(listArgument(parseAuthKey));
}

/** `--auth-key-file`. */
export function authKeyFileOption(): Option {
  return new Option("--auth-key-file <file>", "a file with one such key a line");
}

/**
 * The keys of a command that makes or opens tokens: those of its flags, else those that `serve` would find
 * in `GRAFT_SERVE_AUTH_KEY` and `GRAFT_SERVE_AUTH_KEY_FILE`.
 *
 * @throws {UsageError} When there is none, or one cannot be read.
 */
export function requireKeys(flags: KeyFlags): AuthKey[] {
  const given = readKeys(flags);
  if (given.length > 0) return given;
  const fromVariable = readVariable("GRAFT_SERVE_AUTH_KEY");
  const keys = readKeys({
    authKey: fromVariable === undefined ? [] : parseKeys("GRAFT_SERVE_AUTH_KEY", fromVariable),
    authKeyFile: readVariable("GRAFT_SERVE_AUTH_KEY_FILE"),
  });
  if (keys.length > 0) return keys;
  throw new UsageError(
    "Cannot work with tokens: no key is given\n  Give --auth-key or --auth-key-file; make a key with: graft key new",
  );
}

/**
 * All keys that the flags name: those of the command line before those of the file.
 *
 * @throws {UsageError} When the file cannot be read, or a line of it is no key.
 */
export function readKeys(flags: KeyFlags): AuthKey[] {
  const fromFile = flags.authKeyFile === undefined ? [] : readKeyFile(flags.authKeyFile);
  return [...flags.authKey ?? [], ...fromFile];
}

function readKeyFile(path: string): AuthKey[] {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    const state = error instanceof Deno.errors.NotFound ? "there is no such file" : String(error);
    throw new UsageError(`Cannot read the keys in "${path}": ${state}`);
  }
  const lines = text.split(/\r?\n/).map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  if (lines.length === 0) throw new UsageError(`Cannot read the keys in "${path}": it holds none`);
  return parseKeys(path, lines.join(","));
}

function parseKeys(source: string, text: string): AuthKey[] {
  try {
    return text.split(",").map(parseAuthKey);
  } catch (error) {
    throw new UsageError(`Cannot read the keys in "${source}": ${(error as Error).message}`);
  }
}
