/**
 * Settings of a command from variables and from a configuration file.
 *
 * @module
 */

import type { Command, Option } from "commander";
import { InvalidArgumentError } from "commander";
import { parse as parseToml, TomlError } from "smol-toml";
import { UsageError } from "./failure.ts";
import { nearest } from "./nearest.ts";

/** Flags that say where settings come from, and so are no settings. */
const NOT_SETTINGS = ["config", "help", "json"];

/**
 * Fills in what the command line left open: from variables first, then from the configuration file.
 *
 * @param prefix What the name of a variable begins with; the flag in capitals follows.
 * @param env The variables.
 * @param file The path of a TOML file whose keys are the flags; undefined: none is read.
 * @throws {UsageError} For a key that is no flag, and a value that cannot be.
 */
export function fillSettings(
  command: Command,
  prefix: string,
  env: (name: string) => string | undefined,
  file: string | undefined,
): void {
  const options = command.options.filter((option) => !NOT_SETTINGS.includes(option.name()));
  for (const option of options) {
    const name = prefix + option.name().replaceAll("-", "_").toUpperCase();
    const value = env(name);
    if (value !== undefined && value !== "") fill(command, option, value, name);
  }
  if (file === undefined) return;
  const settings = readSettings(file);
  requireKnown(Object.keys(settings), options.map((option) => option.name()), file);
  for (const option of options) {
    const value = settings[option.name()];
    if (value !== undefined) fill(command, option, value, `${option.name()} in ${file}`);
  }
}

function fill(command: Command, option: Option, value: unknown, source: string): void {
  const key = option.attributeName();
  const from = command.getOptionValueSource(key);
  if (from !== undefined && from !== "default") return;
  command.setOptionValueWithSource(key, parseSetting(option, value, source), "config");
}

function parseSetting(option: Option, value: unknown, source: string): unknown {
  if (option.isBoolean()) return parseSwitch(value, source);
  const texts = Array.isArray(value) ? value : [value];
  if (!texts.every((text) => typeof text === "string" || typeof text === "number")) {
    throw new UsageError(`Cannot use ${source}: it is neither text nor a number`);
  }
  try {
    return texts.reduce<unknown>(
      (previous, text) => option.parseArg?.(String(text), previous) ?? String(text),
      undefined,
    );
  } catch (error) {
    if (error instanceof InvalidArgumentError) {
      throw new UsageError(`Cannot use ${source}: ${error.message}`);
    }
    throw error;
  }
}

/** "false" must not switch on what would be on by its mere presence as a flag. */
function parseSwitch(value: unknown, source: string): boolean {
  const text = String(value).toLowerCase();
  if (["true", "1", "yes"].includes(text)) return true;
  if (["false", "0", "no"].includes(text)) return false;
  throw new UsageError(`Cannot use ${source}: it is neither true nor false`);
}

function readSettings(file: string): Record<string, unknown> {
  try {
    return parseToml(Deno.readTextFileSync(file));
  } catch (error) {
    if (error instanceof TomlError) {
      throw new UsageError(`Cannot read the configuration "${file}": ${error.message}`);
    }
    const state = error instanceof Deno.errors.NotFound ? "there is no such file" : String(error);
    throw new UsageError(`Cannot read the configuration "${file}": ${state}`);
  }
}

function requireKnown(keys: readonly string[], known: readonly string[], file: string): void {
  const unknown = keys.find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const meant = nearest(unknown, known);
  const hint = meant === undefined ? `The keys are ${known.join(", ")}` : `Did you mean ${meant}?`;
  throw new UsageError(
    `Cannot use the configuration "${file}": "${unknown}" is no setting\n  ${hint}`,
  );
}
