/**
 * The program: from arguments to an exit code.
 *
 * @module
 */

import { Command, CommanderError } from "commander";
import { exportCommand } from "./commands/export.ts";
import { importCommand } from "./commands/import.ts";
import { keyNewCommand } from "./commands/key_new.ts";
import { serveCommand } from "./commands/serve.ts";
import { sqlCommand } from "./commands/sql.ts";
import { tokenNewCommand } from "./commands/token_new.ts";
import { tokenShowCommand } from "./commands/token_show.ts";
import { volumeCreateCommand } from "./commands/volume_create.ts";
import { volumeLogCommand } from "./commands/volume_log.ts";
import { volumeLsCommand } from "./commands/volume_ls.ts";
import { volumeShowCommand } from "./commands/volume_show.ts";
import { plainRefusal } from "./support/arguments.ts";
import { describeError, EXIT, exitCodeOf } from "./support/failure.ts";
import { printNote } from "./support/output.ts";
import { VERSION } from "./support/version.ts";

/**
 * Runs the command that the arguments name.
 *
 * @param args The program's arguments. A `--` before the first flag, which `deno task start -- …` leaves
 * there, is dropped.
 * @returns The exit code.
 */
export async function run(args: readonly string[]): Promise<number> {
  const program = createProgram();
  try {
    await program.parseAsync(withoutSeparator(args), { from: "user" });
    return EXIT.done;
  } catch (error) {
    // commander has already said what is wrong
    if (!(error instanceof CommanderError)) printNote(`error: ${describeError(error)}`);
    return exitCodeOf(error);
  }
}

function createProgram(): Command {
  const program = new Command("graft")
    .description("A transactional page store with lazy, partial replication.")
    .version(VERSION, "-V, --version", "print the version")
    .addCommand(serveCommand())
    .addCommand(group("key", "Make keys.", [keyNewCommand()]))
    .addCommand(group("token", "Make and read tokens.", [tokenNewCommand(), tokenShowCommand()]))
    .addCommand(group("volume", "Look at volumes, and make them.", [
      volumeLsCommand(),
      volumeCreateCommand(),
      volumeShowCommand(),
      volumeLogCommand(),
    ]))
    .addCommand(importCommand())
    .addCommand(exportCommand())
    .addCommand(sqlCommand())
    .addHelpText("after", EXAMPLES);
  everyCommand(
    program,
    (command) =>
      command.exitOverride().showHelpAfterError(HELP_HINT).configureOutput({
        outputError: (text, write) => write(plainRefusal(text)),
      }),
  );
  return program;
}

function group(name: string, description: string, commands: readonly Command[]): Command {
  const parent = new Command(name).description(description);
  for (const command of commands) parent.addCommand(command);
  return parent.addHelpText("after", `\nExamples:\n${examplesOf(name)}`);
}

function everyCommand(command: Command, change: (command: Command) => void): void {
  change(command);
  for (const child of command.commands) everyCommand(child, change);
}

/** `deno task start -- --listen …` arrives as `serve -- --listen …`. */
function withoutSeparator(args: readonly string[]): string[] {
  const at = args.findIndex((arg) => arg.startsWith("-"));
  return at >= 0 && args[at] === "--" ? args.toSpliced(at, 1) : [...args];
}

function examplesOf(name: string): string {
  return EXAMPLES.split("\n").filter((line) => line.startsWith(`  graft ${name} `)).join("\n") +
    "\n";
}

const HELP_HINT = "(add --help for the flags and examples)";

const EXAMPLES = `
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused, 4 not found, 5 unreachable.

Examples:
  graft serve
  graft key new > graft.key
  graft token new --auth-key-file graft.key --sub laptop
  graft volume ls
  graft volume show GonwTRj2SohJzYLLjD9nSq@2h
  graft volume log GonwTRj2SohJzYLLjD9nSq
  graft import app.db
  graft export GonwTRj2SohJzYLLjD9nSq@2h app.db
  graft sql GonwTRj2SohJzYLLjD9nSq "select count(*) from notes"
`;
