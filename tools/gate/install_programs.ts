/**
 * Builds the servers of others that tests run against, each once: `deno run -A tools/gate/install_programs.ts`.
 *
 * @module
 */

import {
  programFolder,
  type ProgramName,
  programPath,
  PROGRAMS,
} from "../../tests/harness/programs/installed.ts";

if (import.meta.main) {
  for (const name of Object.keys(PROGRAMS) as ProgramName[]) await install(name);
}

/** Builds a program unless it is there. What fails leaves nothing that looks like a program. */
export async function install(name: ProgramName): Promise<void> {
  if (await isFile(programPath(name))) return;
  const { build, file, version } = PROGRAMS[name];
  console.log(`Building ${name} ${version}, once; this takes minutes`);
  const folder = `${programFolder(name)}.partial`;
  await Deno.mkdir(folder, { recursive: true });
  const { success } = await new Deno.Command(build[0], {
    args: [...build.slice(1), ...(build[0] === "cargo" ? ["--root", folder] : [])],
    env: build[0] === "go" ? { GOBIN: folder } : {},
    stdin: "null",
  }).spawn().status;
  if (!success) throw new Error(`Cannot build ${name} ${version}`);
  if (!await isFile(`${folder}/${file}`)) throw new Error(`Cannot find ${name}'s ${file}`);
  await Deno.rename(folder, programFolder(name));
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
