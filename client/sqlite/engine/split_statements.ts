/**
 * Where one statement ends and the next begins.
 *
 * @module
 */

import { loadEngine } from "./load_engine.ts";

/** Text cut into statements. */
export interface StatementSplit {
  /** Those that are whole, each with its semicolon. */
  readonly statements: readonly string[];
  /** What stands behind the last of them: white space, or a statement that goes on. */
  readonly rest: string;
}

const encoder = new TextEncoder();

/**
 * Cuts text into statements, as SQLite itself sees them: semicolons within strings, comments and triggers end none.
 *
 * @example
 * ```ts
 * import { splitStatements } from "./split_statements.ts";
 *
 * const { statements, rest } = await splitStatements("select ';'; select 2; select");
 * console.log(statements, rest); // [ "select ';';", " select 2;" ] " select"
 * ```
 */
export async function splitStatements(sql: string): Promise<StatementSplit> {
  const { exports, module } = await (await loadEngine()).instantiate();
  const isComplete = (text: string) => {
    const utf8 = encoder.encode(text);
    const pointer = exports.sqlite3_malloc(utf8.length + 1) >>> 0;
    module.HEAPU8.set(utf8, pointer);
    module.HEAPU8[pointer + utf8.length] = 0;
    const answer = exports.sqlite3_complete(pointer);
    exports.sqlite3_free(pointer);
    return answer !== 0;
  };
  const statements: string[] = [];
  let begin = 0;
  for (let at = sql.indexOf(";"); at >= 0; at = sql.indexOf(";", at + 1)) {
    const text = sql.slice(begin, at + 1);
    if (!isComplete(text)) continue;
    statements.push(text);
    begin = at + 1;
  }
  return { statements, rest: sql.slice(begin) };
}
