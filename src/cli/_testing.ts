// What tests of the command line share: the program as a child process.

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

/** How a run of the program ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program to its end. Variables of the surroundings that it reads are not passed on. */
export async function graft(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Ended> {
  const { code, stdout, stderr } = await command(args, env).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** A server in a process of its own. */
export interface ServerProcess {
  readonly child: Deno.ChildProcess;
  /** The first lines that it printed. */
  readonly banner: string[];
  /** Waits for the end, and returns the exit code and everything written to stderr. */
  ended(): Promise<{ code: number; stderr: string }>;
}

/** Starts `serve`, and resolves when it has printed `lines` lines. */
export async function startServe(
  args: readonly string[],
  lines: number,
  env: Record<string, string> = {},
): Promise<ServerProcess> {
  const child = command(["serve", ...args], env).spawn();
  const stderr = new Response(child.stderr).text();
  const banner: string[] = [];
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (banner.length < lines) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`The server ended early: ${await stderr}`);
    text += value;
    banner.splice(0, banner.length, ...text.split("\n").slice(0, -1));
  }
  return {
    child,
    banner,
    ended: async () => {
      const { code } = await child.status;
      await reader.cancel();
      return { code, stderr: await stderr };
    },
  };
}

function command(args: readonly string[], env: Record<string, string> = {}): Deno.Command {
  const { GRAFT_SERVER: _server, GRAFT_TOKEN: _token, ...rest } = Deno.env.toObject();
  const kept = Object.entries(rest).filter(([name]) => !name.startsWith("GRAFT_SERVE_"));
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", MAIN, ...args],
    env: { ...Object.fromEntries(kept), NO_COLOR: "1", ...env },
    clearEnv: true,
    stdout: "piped",
    stderr: "piped",
  });
}
