/**
 * Runs child processes for the gate.
 *
 * @module
 */

/** How a command ended. */
export interface CommandResult {
  /** Its exit code. */
  readonly code: number;
  /** What it wrote, both streams, each in order. */
  readonly output: string;
  /** How long it took. */
  readonly seconds: number;
}

/** What a command may be given. */
export interface CommandOptions {
  /** The working directory; the caller's when not given. */
  readonly cwd?: string;
  /** Variables on top of the inherited ones. */
  readonly env?: Record<string, string>;
  /** Ends the program when it fires; the result then has the code of a killed program. */
  readonly signal?: AbortSignal;
}

/**
 * Runs a program without input and collects what it writes.
 *
 * A program that cannot be started is a result with code 127, as in a shell.
 */
export async function runCommand(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const started = performance.now();
  const { code, output } = await execute(program, args, options);
  return { code, output, seconds: (performance.now() - started) / 1000 };
}

async function execute(program: string, args: readonly string[], options: CommandOptions) {
  try {
    const { code, stdout, stderr } = await new Deno.Command(program, {
      args: [...args],
      stdin: "null",
      ...options,
    }).output();
    const decoder = new TextDecoder();
    return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return { code: 127, output: `Cannot run "${program}": it is not installed\n` };
    }
    throw error;
  }
}

/** Runs this Deno with `args`. */
export function runDeno(
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return runCommand(Deno.execPath(), args, options);
}
