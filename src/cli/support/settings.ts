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

/** Flags that are no settings of a configuration file. */
const NOT_IN_FILES = ["config", "help", "version"];
/** Flags that are no variables. */
const NOT_VARIABLES = ["help", "version"];

/**
 * Fills in what the command line left open: from variables first, then from the configuration file that
 * the flag or the variable `config` names; without one none is read.
 *
 * @param prefix What the name of a variable begins with; the flag in capitals follows, with `_` for `-`.
 * @param variables All variables that begin so.
 * @throws {UsageError} For a variable or a key that is no flag, and a value that cannot be.
 */
export function fillSettings(
  command: Command,
  prefix: string,
  variables: ReadonlyMap<string, string>,
): void {
  fillFromVariables(command, prefix, variables);
  const { config } = command.opts<{ config?: string }>();
  if (config !== undefined) fillFromFile(command, config);
}

function fillFromVariables(
  command: Command,
  prefix: string,
  variables: ReadonlyMap<string, string>,
): void {
  const nameOf = (option: Option) => prefix + option.name().replaceAll("-", "_").toUpperCase();
  const options = optionsWithout(command, NOT_VARIABLES);
  const unknown = unknownOf([...variables.keys()], options.map(nameOf));
  if (unknown !== undefined) {
    throw new UsageError(
      `Cannot use the variable ${unknown.name}: it is no setting${unknown.hint}`,
    );
  }
  for (const option of options) {
    const value = variables.get(nameOf(option));
    if (value !== undefined) fill(command, option, value, nameOf(option));
  }
}

function fillFromFile(command: Command, file: string): void {
  const options = optionsWithout(command, NOT_IN_FILES);
  const settings = readSettings(file);
  const unknown = unknownOf(Object.keys(settings), options.map((option) => option.name()));
  if (unknown !== undefined) {
    throw new UsageError(
      `Cannot use the configuration "${file}": "${unknown.name}" is no setting${unknown.hint}`,
    );
  }
  for (const option of options) {
    const value = settings[option.name()];
    if (value !== undefined) fill(command, option, value, `${option.name()} in ${file}`);
  }
}

function optionsWithout(command: Command, names: readonly string[]): Option[] {
  return command.options.filter((option) => !names.includes(option.name()));
}

/** The first name that is none of the known ones, and what may have been meant. */
function unknownOf(
  names: readonly string[],
  known: readonly string[],
): { readonly name: string; readonly hint: string } | undefined {
  const name = names.find((name) => !known.includes(name));
  if (name === undefined) return undefined;
  const meant = nearest(name, known);
  const hint = meant === undefined ? `There are ${known.join(", ")}` : `Did you mean ${meant}?`;
  return { name, hint: `\n  ${hint}` };
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

/** "false" must not switch on what would be on by its mere presence as a flag; nothing else is guessed at. */
function parseSwitch(value: unknown, source: string): boolean {
  const text = String(value);
  if (text === "true" || text === "false") return text === "true";
  throw new UsageError(`Cannot use ${source}: "${text}" is neither true nor false`);
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
