/**
 * Statements that are about more than rows: transactions, savepoints and settings of the connection.
 *
 * @module
 */

/** What a statement does beside reading and writing rows. */
export type StatementControl =
  | {
    /** It begins or ends a transaction. */
    readonly kind: "transaction";
    readonly action: "begin" | "commit" | "rollback";
  }
  | {
    /** It opens a savepoint, releases it, or goes back to it. */
    readonly kind: "savepoint";
    readonly action: "open" | "release" | "rollback";
    /** Its name, in lower case as far as SQLite ignores case. */
    readonly name: string;
  }
  | {
    /** It sets what holds for the whole connection. */
    readonly kind: "setting";
    /** The pragma. */
    readonly name: string;
  };

/** What stands before a statement. SQLite's first token decides of what kind it is. */
const BLANK = /(?:[\s;]|--[^\n]*|\/\*[^]*?(?:\*\/|$))*/y;
const SPACE = /(?:\s|--[^\n]*|\/\*[^]*?(?:\*\/|$))*/y;
const WORD = /[a-z]+/iy;
const TOKEN = /"(?:[^"]|"")*"|'(?:[^']|'')*'|`(?:[^`]|``)*`|\[[^\]]*\]|[\w$\u0080-\uffff]+|[^]/y;
const VERBS = /^(?:begin|commit|end|rollback|savepoint|release|pragma|explain)$/i;

/** Pragmas that change what the statements of a connection mean, and hold until it is closed. */
const SETTINGS: ReadonlySet<string> = new Set([
  "automatic_index",
  "cache_size",
  "cache_spill",
  "case_sensitive_like",
  "cell_size_check",
  "foreign_keys",
  "full_column_names",
  "ignore_check_constraints",
  "legacy_alter_table",
  "query_only",
  "recursive_triggers",
  "reverse_unordered_selects",
  "secure_delete",
  "short_column_names",
  "temp_store",
  "trusted_schema",
]);

/**
 * What the first statement of `sql` does beside reading and writing rows; undefined for most, and for what is none.
 * Comments may stand anywhere in it.
 *
 * @example
 * ```ts
 * import { readControl } from "./statement_control.ts";
 *
 * console.log(readControl("rollback /* all *\/ to a")); // { kind: "savepoint", action: "rollback", name: "a" }
 * console.log(readControl("select 'commit'")); // undefined
 * ```
 */
export function readControl(sql: string): StatementControl | undefined {
  BLANK.lastIndex = 0;
  BLANK.test(sql);
  WORD.lastIndex = BLANK.lastIndex;
  const verb = WORD.exec(sql)?.[0];
  if (verb === undefined || !VERBS.test(verb)) return undefined;
  const tokens = tokensFrom(sql, WORD.lastIndex);
  switch (verb.toLowerCase()) {
    case "begin":
      return { kind: "transaction", action: "begin" };
    case "pragma":
      return readSetting(tokens);
    case "explain": {
      // a pragma takes effect as it is prepared, also to be explained
      const at = lower(tokens[0] ?? "") === "query" ? 2 : 0;
      return lower(tokens[at] ?? "") === "pragma" ? readSetting(tokens.slice(at + 1)) : undefined;
    }
    case "savepoint":
      return savepoint("open", tokens);
    case "release":
      return savepoint("release", tokens);
    case "rollback":
      // in quotes it is a name
      return tokens.some((token) => lower(token) === "to")
        ? savepoint("rollback", tokens)
        : { kind: "transaction", action: "rollback" };
    default:
      return { kind: "transaction", action: "commit" };
  }
}

function savepoint(
  action: "open" | "release" | "rollback",
  tokens: readonly string[],
): StatementControl {
  return { kind: "savepoint", action, name: lower(unquote(tokens.at(-1) ?? "")) };
}

/** `name = value`, `name(value)`, each with or without `schema.`; without a value it only asks. */
function readSetting(tokens: readonly string[]): StatementControl | undefined {
  const at = tokens[1] === "." ? 2 : 0;
  const name = lower(unquote(tokens[at] ?? ""));
  const isSet = tokens.length > at + 1;
  return isSet && SETTINGS.has(name) ? { kind: "setting", name } : undefined;
}

function tokensFrom(sql: string, from: number): string[] {
  const tokens: string[] = [];
  for (let at = from;;) {
    SPACE.lastIndex = at;
    SPACE.test(sql);
    TOKEN.lastIndex = SPACE.lastIndex;
    const token = TOKEN.exec(sql)?.[0];
    if (token === undefined || token === ";") return tokens;
    tokens.push(token);
    at = TOKEN.lastIndex;
  }
}

function unquote(token: string): string {
  const quote = token[0];
  if (quote === "[") return token.slice(1, -1);
  if (!/["'`]/.test(quote ?? "")) return token;
  return token.slice(1, -1).replaceAll(quote + quote, quote);
}

/** As SQLite does: beyond ASCII it tells letters apart. */
function lower(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}
