/**
 * Reads the JUnit reports that test runners write, and adds them up.
 *
 * @module
 */

/** What a runner, or several of them, came to. A test's steps count as tests of their own. */
export interface Tally {
  /** Tests that passed. */
  readonly passed: number;
  /** Tests that failed, or that an error cut short. */
  readonly failed: number;
  /** The tests that did not run, each as `file: name`. */
  readonly skipped: readonly string[];
}

/** The tally of nothing. */
export const EMPTY_TALLY: Tally = { passed: 0, failed: 0, skipped: [] };

const TEST_CASE = /<testcase\b([^>]*?)(?:\/>|>(.*?)<\/testcase>)/gs;

/**
 * Counts the test cases of one report.
 *
 * Only what a report's cases say is counted: a file that broke before its first test has none, so a
 * caller must look at the runner's exit code too.
 *
 * @example
 * ```ts
 * import { tallyReport } from "./junit.ts";
 *
 * console.log(tallyReport('<testcase name="adds" classname="a_test.ts"/>').passed); // 1
 * ```
 */
export function tallyReport(xml: string): Tally {
  const skipped: string[] = [];
  let passed = 0;
  let failed = 0;
  for (const [, attributes, body = ""] of xml.matchAll(TEST_CASE)) {
    if (/<(failure|error)\b/.test(body)) failed++;
    else if (/<skipped\b/.test(body)) skipped.push(nameOf(attributes));
    else passed++;
  }
  return { passed, failed, skipped };
}

/** The sum of two tallies. */
export function addTallies(a: Tally, b: Tally): Tally {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: [...a.skipped, ...b.skipped],
  };
}

/** The line that a run of tests ends with: `N passed, N failed`. */
export function closingLine(tally: Tally): string {
  return `${tally.passed} passed, ${tally.failed} failed`;
}

function nameOf(attributes: string): string {
  const name = attribute(attributes, "name");
  return `${attribute(attributes, "classname")}: ${name}`;
}

function attribute(attributes: string, name: string): string {
  const value = new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(attributes)?.[1] ?? "?";
  return value.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'").replaceAll("&amp;", "&");
}
