/**
 * What the gate prints: a line a stage, and the whole output of what failed.
 *
 * @module
 */

import type { CommandResult } from "./command.ts";
import type { SuiteResult } from "./suites.ts";

/** The lines about a check. */
export function describeStage(name: string, result: CommandResult): string {
  if (result.code === 0) return line("ok", name, seconds(result));
  return line("FAIL", name, seconds(result)) + indent(result.output);
}

/** The lines about a suite of tests. */
export function describeSuite(name: string, result: SuiteResult): string {
  const { passed, failed, skipped } = result.tally;
  if (result.skippedBecause !== undefined) {
    return line(failed > 0 ? "FAIL" : "skip", name, `skipped: ${result.skippedBecause}`);
  }
  const numbers = `${seconds(result)}  ${passed} passed, ${failed} failed`;
  const skips = skipped.map((test) => `      skipped: ${test}\n`).join("");
  if (failed === 0) return line("ok", name, numbers) + skips;
  return line("FAIL", name, numbers) + skips + indent(errorsFirst(result.output));
}

/** The output with what the runner sums up at its end put before the rest: a long report may be cut. */
function errorsFirst(output: string): string {
  const at = output.indexOf("\n ERRORS");
  return at < 0 ? output : `${output.slice(at + 1).trimEnd()}\n\n${output.slice(0, at)}`;
}

function line(verdict: string, name: string, rest: string): string {
  return `${verdict.padEnd(5)} ${name.padEnd(24)} ${rest}\n`;
}

function seconds(result: { readonly seconds: number }): string {
  return `${result.seconds.toFixed(1).padStart(6)} s`;
}

function indent(output: string): string {
  return output.trimEnd().split("\n").map((row) => `      ${row}\n`).join("");
}
