/**
 * The original's servers, v0.1.5, for tests. They lie beside this checkout, compressed, where they lie at all.
 *
 * @module
 */

import { Child, freePort } from "./child.ts";

/** Where they lie. */
export const ORIGINALS_DIRECTORY: string =
  new URL("../../../../shared/peer/", import.meta.url).pathname;

/** A metastore and a pagestore of the original. */
export class OriginalServers {
  /** The pagestore's URL. */
  readonly url: string;
  /** The metastore's URL. */
  readonly metastoreUrl: string;
  readonly #children: readonly Child[];
  readonly #folder: string;

  private constructor(ports: readonly number[], children: readonly Child[], folder: string) {
    [this.metastoreUrl, this.url] = ports.map((port) => `http://127.0.0.1:${port}`);
    this.#children = children;
    this.#folder = folder;
  }

  /** Starts both on free ports, with nothing in them. */
  static async start(): Promise<OriginalServers> {
    const folder = await Deno.makeTempDir({ prefix: "graft-originals-" });
    const [metastore, pagestore] = [freePort(), freePort()];
    const env = (name: string, port: number) => ({
      [`${name}_PORT`]: `${port}`,
      [`${name}_OBJECTSTORE__TYPE`]: "fs",
      [`${name}_OBJECTSTORE__ROOT`]: `${folder}/${name}-objects`,
      [`${name}_CATALOG__PATH`]: `${folder}/${name}-catalog`,
    });
    for (const name of ["METASTORE-objects", "PAGESTORE-objects", "cache"]) {
      await Deno.mkdir(`${folder}/${name}`);
    }
    const children: Child[] = [];
    try {
      children.push(await startOne(folder, "metastore", metastore, env("METASTORE", metastore)));
      children.push(
        await startOne(folder, "pagestore", pagestore, {
          ...env("PAGESTORE", pagestore),
          PAGESTORE_METASTORE: `http://127.0.0.1:${metastore}`,
          PAGESTORE_CACHE__PATH: `${folder}/cache`,
        }),
      );
      return new OriginalServers([metastore, pagestore], children, folder);
    } catch (error) {
      for (const child of children) await child.kill();
      await Deno.remove(folder, { recursive: true });
      throw error;
    }
  }

  /** Ends both and removes their data. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) await child.kill();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

async function startOne(
  folder: string,
  name: string,
  port: number,
  env: Record<string, string>,
): Promise<Child> {
  const path = `${folder}/${name}`;
  const { code, stdout } = await new Deno.Command("xz", {
    args: ["--decompress", "--stdout", `${ORIGINALS_DIRECTORY}${name}.xz`],
  }).output();
  if (code !== 0) throw new Error(`Cannot unpack the original's ${name}: xz ended with ${code}`);
  await Deno.writeFile(path, stdout, { mode: 0o755 });
  return await Child.start({
    path,
    args: [],
    env,
    isReady: async () => {
      const response = await fetch(`http://127.0.0.1:${port}/health`);
      await response.body?.cancel();
      return true;
    },
  });
}
