/**
 * A site of its own origin that serves test modules.
 *
 * @module
 */

import { bundleModule } from "./bundle.ts";

/** A running site. */
export interface Site extends AsyncDisposable {
  /** Its origin: `http://127.0.0.1:PORT`. */
  readonly origin: string;
}

const PAGE =
  `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>Test</title>`;

/**
 * Serves an empty page at `/`, at `/NAME.js` the bundle of `tests/browser/modules/NAME.ts`, made when it
 * is asked for first, and at `/files/NAME` the files of a folder. The loopback is a secure context, so that the page has
 * all storages.
 */
export function startSite(folder?: string): Site {
  const bundles = new Map<string, Promise<string>>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/") return new Response(PAGE, { headers: { "content-type": "text/html" } });
    const file = /^\/files\/([\w.-]+)$/.exec(pathname)?.[1];
    if (file !== undefined && folder !== undefined) return await serveFile(`${folder}/${file}`);
    const name = /^\/(\w+)\.js$/.exec(pathname)?.[1];
    if (name === undefined) return new Response("Not here", { status: 404 });
    const bundle = bundles.get(name) ?? bundleModule(name);
    bundles.set(name, bundle);
    return new Response(await bundle, { headers: { "content-type": "text/javascript" } });
  });
  return {
    origin: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function serveFile(path: string): Promise<Response> {
  const type = path.endsWith(".js") ? "text/javascript" : "application/wasm";
  return new Response(await Deno.readFile(path), { headers: { "content-type": type } });
}
