/**
 * The servers of others that tests run against: which, in which version, and where they are.
 *
 * `tools/gate/install_programs.ts` builds them; nothing here does, so that a test never waits minutes.
 *
 * @module
 */

/** A program, and how it is built. */
export interface Program {
  /** The command that builds it into the folder `$OUT`, as a file named after the program. */
  readonly build: readonly string[];
  /** What the build leaves, relative to the folder. */
  readonly file: string;
  /** The exact version. */
  readonly version: string;
}

const go = (module: string, version: string, file: string): Program => ({
  build: ["go", "install", `${module}@${version}`],
  file,
  version,
});

/** Every program, by name. */
export const PROGRAMS = {
  minio: go("github.com/minio/minio", "v0.0.0-20260212201848-7aac2a2c5b7c", "minio"),
  versitygw: go("github.com/versity/versitygw/cmd/versitygw", "v1.8.0", "versitygw"),
  toxiproxy: go("github.com/Shopify/toxiproxy/v2/cmd/server", "v2.5.0", "server"),
  denokv: {
    build: ["cargo", "install", "denokv", "--version", "0.14.0", "--locked"],
    file: "bin/denokv",
    version: "0.14.0",
  },
} satisfies Record<string, Program>;

/** The name of a program. */
export type ProgramName = keyof typeof PROGRAMS;

/** Where programs are kept: outside the tree, so that they outlive a clone. */
export function programsFolder(env: { get(name: string): string | undefined } = Deno.env): string {
  const cache = env.get("XDG_CACHE_HOME") ?? `${env.get("HOME") ?? ""}/.cache`;
  return `${cache}/graft-ci/programs`;
}

/** The folder of one version of a program. */
export function programFolder(name: ProgramName): string {
  return `${programsFolder()}/${name}-${PROGRAMS[name].version}`;
}

/** The path of a program's file, whether it is there or not. */
export function programPath(name: ProgramName): string {
  return `${programFolder(name)}/${PROGRAMS[name].file}`;
}
