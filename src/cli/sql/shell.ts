/**
 * The interactive shell of `graft sql`.
 *
 * @module
 */

import { createInterface } from "node:readline/promises";
import { type Database, splitStatements } from "../../../client/sqlite/mod.ts";
import { GraftError } from "../../core/errors.ts";
import { describeError } from "../support/failure.ts";
import { formatRows, oneLine, type RowsFormat } from "./rows_format.ts";
import { SqlSession } from "./sql_session.ts";

/** What a {@linkcode runShell} talks to. */
export interface ShellParts {
  readonly database: Database;
  /** What is shown before each line. */
  readonly name: string;
  readonly format: RowsFormat;
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  /** Whether somebody types: then there are prompts, and editing of lines. */
  readonly isTerminal: boolean;
  /** Earlier lines, the newest first. */
  readonly history: readonly string[];
  /** Called with each line that was typed. */
  readonly onLine: (line: string) => void;
}

const HELP = `.tables             tables and views
.schema [NAME]      how they were made
.status             how the database is doing
.sync               push, and fetch what others committed
.help  .quit
Statements end with a semicolon, and may go over several lines; begin … commit spans several.`;

/** Reads statements and commands until the input ends, or .quit. What fails is printed, and the next one read. */
export async function runShell(parts: ShellParts): Promise<void> {
  const shell = new Shell(parts);
  const lines = createInterface({
    input: parts.input,
    output: parts.output,
    terminal: parts.isTerminal,
    history: [...parts.history],
    prompt: shell.prompt,
  });
  try {
    lines.on("SIGINT", () => {
      // a statement that was begun is dropped; with none there is nothing more to do
      if (!shell.drop() && lines.line === "") return lines.close();
      parts.output.write("\n");
      lines.setPrompt(shell.prompt);
      lines.write(null, { ctrl: true, name: "u" });
      lines.prompt();
    });
    if (parts.isTerminal) lines.prompt();
    for await (const line of lines) {
      parts.onLine(line);
      if (await shell.take(line)) break;
      lines.setPrompt(shell.prompt);
      if (parts.isTerminal) lines.prompt();
    }
    shell.finish();
  } finally {
    lines.close();
    await shell.close();
  }
}

class Shell {
  readonly #parts: ShellParts;
  readonly #session: SqlSession;
  #pending = "";

  constructor(parts: ShellParts) {
    this.#parts = parts;
    this.#session = new SqlSession(parts.database);
  }

  get prompt(): string {
    if (this.#pending.trim() !== "") return "   ...> ";
    return this.#session.isInTransaction ? `${this.#parts.name}*> ` : `${this.#parts.name}> `;
  }

  /** Takes a line; whether it was the last. */
  async take(line: string): Promise<boolean> {
    if (this.#pending.trim() === "" && line.trimStart().startsWith(".")) {
      return await this.#command(line.trim());
    }
    const { statements, rest } = await splitStatements(`${this.#pending}${line}\n`);
    this.#pending = rest;
    for (const statement of statements) await this.#run(statement);
    return false;
  }

  /** Forgets a statement that was begun; whether there was one. */
  drop(): boolean {
    const wasBegun = this.#pending.trim() !== "";
    this.#pending = "";
    return wasBegun;
  }

  /** Says what is not run: who ends the input may not have meant to run half a statement. */
  finish(): void {
    const sql = this.#pending.trim();
    if (this.drop()) this.#print(`not run, as no semicolon ends it: ${sql}`);
  }

  async close(): Promise<void> {
    await this.#session.close();
  }

  async #run(sql: string): Promise<void> {
    try {
      const outcome = await this.#session.run(sql);
      for (const line of formatRows(outcome, this.#parts.format)) this.#print(line);
      if (outcome.rowsAffected !== undefined) this.#print(changed(outcome.rowsAffected));
    } catch (error) {
      this.#fail(error);
    }
  }

  async #command(line: string): Promise<boolean> {
    const [command, name] = line.split(/\s+/, 2);
    if (command === ".quit" || command === ".exit") return true;
    try {
      await this.#runCommand(command, name);
    } catch (error) {
      this.#fail(error);
    }
    return false;
  }

  async #runCommand(command: string, name: string | undefined): Promise<void> {
    const { database } = this.#parts;
    if (command === ".help") return this.#print(HELP);
    if (command === ".sync") return await database.sync();
    if (command === ".status") return this.#printStatus();
    if (command === ".tables") return await this.#printFirst(TABLES, []);
    if (command === ".schema") return await this.#printFirst(SCHEMA, [name ?? null, name ?? null]);
    throw new GraftError("invalid", `Cannot run "${command}": there is no such command`, {
      hint: ".help lists them",
    });
  }

  async #printFirst(sql: string, parameters: (string | null)[]): Promise<void> {
    for (const [text] of await this.#session.values(sql, parameters)) {
      for (const line of String(text).split("\n")) this.#print(oneLine(line));
    }
  }

  #printStatus(): void {
    const { pages, error, ...status } = this.#parts.database.status();
    const shown = { ...status, ...pages, error: error === undefined ? "" : describeError(error) };
    for (const [name, value] of Object.entries(shown)) {
      if (value !== "" && value !== undefined) this.#print(`${name.padEnd(18)} ${value}`);
    }
  }

  #fail(error: unknown): void {
    this.#print(`error: ${describeError(error)}`);
  }

  #print(line: string): void {
    this.#parts.output.write(`${line}\n`);
  }
}

/** `1 row changed`, `7 rows changed`. */
export function changed(rows: number): string {
  return `${rows} ${rows === 1 ? "row" : "rows"} changed`;
}

const TABLES = `select name from sqlite_schema
  where type in ('table', 'view') and name not like 'sqlite_%' order by name`;
const SCHEMA = `select sql || ';' from sqlite_schema
  where sql is not null and (? is null or tbl_name = ?) order by tbl_name, rowid`;
