/**
 * Where the server's log goes.
 *
 * @module
 */

import {
  configureSync,
  getAnsiColorFormatter,
  getJsonLinesFormatter,
  type LogLevel,
  type LogRecord,
} from "@logtape/logtape";
import { printNote } from "./output.ts";

/** Levels that `--log-level` takes. */
export const LOG_LEVELS = ["debug", "info", "warning", "error"] as const satisfies LogLevel[];

/**
 * Sends the log to stderr: lines of JSON, or text where stderr is a terminal.
 *
 * To be called once, before the server is started.
 */
export function logToStderr(level: LogLevel): void {
  const format = Deno.stderr.isTerminal()
    ? getAnsiColorFormatter()
    : getJsonLinesFormatter({ properties: "flatten" });
  configureSync({
    sinks: { stderr: (record: LogRecord) => printNote(format(record).trimEnd()) },
    loggers: [
      { category: "graft", lowestLevel: level, sinks: ["stderr"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["stderr"] },
    ],
  });
}
