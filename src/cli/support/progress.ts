/**
 * How far a long piece of work is, for people.
 *
 * @module
 */

import type { Clock } from "../../core/clock.ts";

/** How often a terminal's line is drawn again. */
const REDRAW_MS = 100;
/** How often a line is added where there is no terminal. */
const LINE_MS = 10_000;
const BAR_WIDTH = 24;

/** Where progress is shown. */
export interface ProgressOutput {
  /** Whether a line can be drawn over. */
  readonly isTerminal: boolean;
  /** Writes text as it is. */
  write(text: string): void;
}

/**
 * A bar on a terminal; elsewhere a line every ten seconds, and so none of what is quick.
 *
 * @example
 * ```ts
 * import { systemClock } from "../../core/clock.ts";
 * import { Progress } from "./progress.ts";
 *
 * const output = { isTerminal: true, write: (text: string) => console.log(JSON.stringify(text)) };
 * const progress = new Progress("Importing", 4_000_000, output, systemClock);
 * progress.at(1_000_000); // "\r\x1b[2KImporting  [######------------------]  25 %  1.0 of 4.0 MB"
 * progress.end(); // "\r\x1b[2K"
 * ```
 */
export class Progress {
  readonly #label: string;
  readonly #bytes: number;
  readonly #output: ProgressOutput;
  readonly #clock: Clock;
  #shownMs: number;
  #isDrawn = false;

  /** Shows nothing yet. @param bytes What all of the work amounts to, above 0. */
  constructor(label: string, bytes: number, output: ProgressOutput, clock: Clock) {
    this.#label = label;
    this.#bytes = bytes;
    this.#output = output;
    this.#clock = clock;
    this.#shownMs = output.isTerminal ? -Infinity : clock.monotonic();
  }

  /** So many bytes of the work are done. */
  at(bytes: number): void {
    const nowMs = this.#clock.monotonic();
    if (nowMs - this.#shownMs < (this.#output.isTerminal ? REDRAW_MS : LINE_MS)) return;
    this.#shownMs = nowMs;
    const percent = `${Math.floor(100 * bytes / this.#bytes)} %`.padStart(5);
    const amount = `${inMegabytes(bytes)} of ${inMegabytes(this.#bytes)} MB`;
    if (!this.#output.isTerminal) {
      return this.#output.write(`${this.#label} ${percent}  ${amount}\n`);
    }
    const filled = Math.floor(BAR_WIDTH * bytes / this.#bytes);
    const bar = "#".repeat(filled).padEnd(BAR_WIDTH, "-");
    this.#output.write(`${CLEAR}${this.#label}  [${bar}] ${percent}  ${amount}`);
    this.#isDrawn = true;
  }

  /** The work is over, or given up: the bar goes away. */
  end(): void {
    if (this.#isDrawn) this.#output.write(CLEAR);
    this.#isDrawn = false;
  }
}

/** Goes to the start of the terminal's line and empties it. */
const CLEAR = "\r\x1b[2K";

function inMegabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

/** The program's standard error. */
export function standardError(): ProgressOutput {
  const encoder = new TextEncoder();
  return {
    isTerminal: Deno.stderr.isTerminal(),
    write: (text) => void Deno.stderr.writeSync(encoder.encode(text)),
  };
}
