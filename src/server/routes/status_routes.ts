/**
 * How the server is doing.
 *
 * @module
 */

import type { Hono } from "hono";
import type { Timers } from "../../core/timers.ts";
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
  /** Wakes whoever waits for a store in vain. */
  readonly timers: Timers;
}

/** Balancers give up on an answer that takes longer than a second or two. */
const PROBE_MS_MAX = 900;

const TEXT = { "content-type": "text/plain; charset=utf-8" };

/** Adds `/health`, `/ready` and `/metrics` to `app`. */
export function addStatusRoutes(
  app: Hono,
  { endpoints, stores, metrics, timers }: StatusParts,
): void {
  const probes = stores.map((store) => new Probe(store, timers));
  const route = (name: string, open: boolean) => ({ name, open, errors: problemFormat });
  app.get(
    "/health",
    endpoints.wrap(
      { ...route("health", true), unguarded: true },
      () => new Response("OK\n", { headers: TEXT }),
    ),
  );
  app.get("/ready", endpoints.wrap(route("ready", true), () => answerReady(probes)));
  app.get(
    "/metrics",
    endpoints.wrap(route("metrics", false), async () => {
      const headers = { "content-type": metrics.contentType };
      return new Response(await metrics.text(), { headers });
    }),
  );
}

async function answerReady(probes: readonly Probe[]): Promise<Response> {
  const states = await Promise.all(probes.map(async (probe) => [probe.name, await probe.state()]));
  const ready = states.every(([, state]) => state === "ok");
  return Response.json({ ready, ...Object.fromEntries(states) }, { status: ready ? 200 : 503 });
}

type State = "ok" | "failing";

/** The outcome of real traffic; only where that failed, or there was none, a call is made for this. */
class Probe {
  readonly #store: StoreHealth;
  readonly #timers: Timers;
  /** The call that is under way. */
  #call: Promise<State> | undefined;

  constructor(store: StoreHealth, timers: Timers) {
    this.#store = store;
    this.#timers = timers;
  }

  get name(): string {
    return this.#store.name;
  }

  async state(): Promise<State> {
    if (this.#store.healthy()) return "ok";
    this.#call ??= this.#store.probe()
      .then((): State => "ok", (): State => "failing")
      .finally(() => this.#call = undefined);
    // a store that hangs fails its callers, too, when they have waited long enough
    const late = Promise.withResolvers<State>();
    const cancel = this.#timers.after(PROBE_MS_MAX, () => late.resolve("failing"));
    try {
      return await Promise.race([this.#call, late.promise]);
    } finally {
      cancel();
    }
  }
}
