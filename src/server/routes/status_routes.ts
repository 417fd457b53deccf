/**
 * How the server is doing.
 *
 * @module
 */

import type { Hono } from "hono";
import type { Endpoints } from "../http/endpoints.ts";
import { problemFormat } from "../http/error_formats.ts";
import type { PrometheusMetrics } from "../telemetry/prometheus.ts";

/** A store, as far as its health goes. */
export interface StoreHealth {
  /** What it is called in answers: `log`, `objects`. */
  readonly name: string;
  /** Whether it answered its last calls; undefined before the first. */
  healthy(): boolean | undefined;
  /** Makes one cheap call, so that an idle server notices that its store is back. */
  probe(): Promise<unknown>;
}

/** What the routes work on. */
export interface StatusParts {
  /** Who may call, and how errors are answered. */
  readonly endpoints: Endpoints;
  /** The stores that the server needs. */
  readonly stores: readonly StoreHealth[];
  /** Everything that is measured. */
  readonly metrics: PrometheusMetrics;
}

const TEXT = { "content-type": "text/plain; charset=utf-8" };

/** Adds `/health`, `/ready` and `/metrics` to `app`. */
export function addStatusRoutes(app: Hono, { endpoints, stores, metrics }: StatusParts): void {
  const route = (name: string, open: boolean) => ({ name, open, errors: problemFormat });
  app.get(
    "/health",
    endpoints.wrap(
      { ...route("health", true), unguarded: true },
      () => new Response("OK\n", { headers: TEXT }),
    ),
  );
  app.get("/ready", endpoints.wrap(route("ready", true), () => answerReady(stores)));
  app.get(
    "/metrics",
    endpoints.wrap(route("metrics", false), async () => {
      const headers = { "content-type": metrics.contentType };
      return new Response(await metrics.text(), { headers });
    }),
  );
}

async function answerReady(stores: readonly StoreHealth[]): Promise<Response> {
  const states = await Promise.all(stores.map(async (store) => [store.name, await stateOf(store)]));
  const ready = states.every(([, state]) => state === "ok");
  return Response.json({ ready, ...Object.fromEntries(states) }, { status: ready ? 200 : 503 });
}

/** The outcome of real traffic; only where that failed, or there was none, a call is made for this. */
async function stateOf(store: StoreHealth): Promise<"ok" | "failing"> {
  if (store.healthy()) return "ok";
  try {
    await store.probe();
    return "ok";
  } catch {
    return "failing";
  }
}
