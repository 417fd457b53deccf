/**
 * The lines that were typed into the shell.
 *
 * @module
 */

import { printNote } from "../support/output.ts";
import { readVariable } from "../support/variables.ts";

/** How many lines are kept, at least; half as many again are the most that the next shell finds. */
export const LINES_MAX = 1000;
/** Lines that are longer were hardly typed, and are not kept. */
export const LINE_LENGTH_MAX = 10_000;

/** The lines of earlier shells, the newest first; none where there is no file. Trims the file where it is too long. */
export async function readHistory(): Promise<string[]> {
  const path = historyPath();
  if (path === undefined) return [];
  try {
    const lines = (await Deno.readTextFile(path)).split("\n").filter((line) => line !== "");
    const newest = lines.slice(-LINES_MAX);
    if (lines.length > 1.5 * LINES_MAX) await replace(path, newest);
    return newest.reverse();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) tellOnce(path, error);
    return [];
  }
}

/** Adds a line, for the user alone to read. */
export function appendHistory(line: string): void {
  const path = historyPath();
  if (path === undefined || line.trim() === "" || line.length > LINE_LENGTH_MAX) return;
  try {
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true, mode: 0o700 });
    Deno.writeTextFileSync(path, `${line}\n`, { append: true, mode: 0o600 });
  } catch (error) {
    tellOnce(path, error);
  }
}

/** Whole: an end of the program meanwhile leaves the old file. */
async function replace(path: string, lines: readonly string[]): Promise<void> {
  const next = `${path}.${Deno.pid}`;
  await Deno.writeTextFile(next, lines.map((line) => `${line}\n`).join(""), { mode: 0o600 });
  await Deno.rename(next, path);
}

let isTold = false;

/** A shell is of use without its history, too. */
function tellOnce(path: string, error: unknown): void {
  if (isTold) return;
  isTold = true;
  const state = error instanceof Error ? error.message : String(error);
  printNote(`note: the lines are not kept in ${path}: ${state}`);
}

/** Where they are kept; undefined where there is no home. */
function historyPath(): string | undefined {
  const home = readVariable("HOME");
  const state = readVariable("XDG_STATE_HOME") ?? (home && `${home}/.local/state`);
  return state && `${state}/graft/sql_history`;
}
