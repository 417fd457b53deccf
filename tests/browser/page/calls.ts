/**
 * The browser's side of the harness: functions that a test in Deno can call.
 *
 * @module
 */

import { isGraftError } from "../../../src/core/errors.ts";

/** How a call ended. */
export type CallOutcome = { readonly result: unknown } | { readonly error: string };

/** Functions by name. What they take and answer must be plain JSON. */
export type Served = (name: string, args: readonly never[]) => unknown;

interface WorkerScope {
  onmessage: ((event: { data: { id: number; name: string; args: never[] } }) => void) | null;
  postMessage(message: unknown): void;
}

/** Answers the calls of the test that drives this page or worker. In Deno, where a test only reads names, it does nothing. */
export function serveCalls(served: Served): void {
  const call = (name: string, args: readonly never[]) => outcomeOf(() => served(name, args));
  if ("document" in globalThis) Object.assign(globalThis, { graftCall: call });
  else if ("WorkerNavigator" in globalThis && !("Deno" in globalThis)) answerMessages(call);
}

function answerMessages(
  call: (name: string, args: readonly never[]) => Promise<CallOutcome>,
): void {
  const scope = globalThis as unknown as WorkerScope;
  scope.onmessage = async ({ data: { id, name, args } }) => {
    scope.postMessage({ id, outcome: await call(name, args) });
  };
  scope.postMessage("ready");
}

async function outcomeOf(run: () => unknown): Promise<CallOutcome> {
  try {
    return { result: await run() };
  } catch (error) {
    return { error: describe(error) };
  }
}

/** An error with all that led to it: objects lose it on their way out of the page. */
export function describe(error: unknown): string {
  if (!(error instanceof Error) && !(error instanceof DOMException)) return String(error);
  const advice = isGraftError(error) ? ` (${error.code}; ${error.hint ?? "no hint"})` : "";
  const cause = error.cause === undefined ? "" : `\ncaused by: ${describe(error.cause)}`;
  return `${error.name}: ${error.message}${advice}\n${error.stack ?? ""}${cause}`;
}
