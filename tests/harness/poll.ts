/**
 * Waiting for what another process does in its own time.
 *
 * @module
 */

const POLL_MS = 100;

/** What a wait may be given. */
export interface PollOptions {
  /** How long to wait; 30 s when not given. It bounds a failure and is never what a test measures. */
  readonly withinMs?: number;
  /** How long to wait between two looks; 100 ms when not given. */
  readonly everyMs?: number;
}

/**
 * Calls `look` until it answers something else than undefined or false, and returns that.
 *
 * @param what What is waited for, for the message when it does not come.
 */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  { withinMs = 30_000, everyMs = POLL_MS }: PollOptions = {},
): Promise<T> {
  const deadline = performance.now() + withinMs;
  while (performance.now() < deadline) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await pause(everyMs);
  }
  throw new Error(`Cannot go on: ${what} did not happen within ${withinMs} ms`);
}

/** Lets `delayMs` milliseconds pass. */
export function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
