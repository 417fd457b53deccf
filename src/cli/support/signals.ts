/**
 * How a program that runs until it is told to stop is told.
 *
 * @module
 */

/** `deno task` passes a signal on twice, so a second one counts only after this time. */
const REPEAT_MS = 1000;
/** The exit code of a program that ended at once because it was told to twice. */
const KILLED = 130;

/**
 * Calls `stop` on the first SIGTERM or SIGINT. A second signal, more than a second later, ends the program
 * at once.
 *
 * @returns Stops listening.
 */
export function onStopSignal(stop: () => void): () => void {
  let firstAtMs: number | undefined;
  const handle = () => {
    if (firstAtMs === undefined) {
      firstAtMs = performance.now();
      stop();
    } else if (performance.now() - firstAtMs > REPEAT_MS) Deno.exit(KILLED);
  };
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  for (const signal of signals) Deno.addSignalListener(signal, handle);
  return () => {
    for (const signal of signals) Deno.removeSignalListener(signal, handle);
  };
}
