/**
 * The HTTP interface as one function from request to response.
 *
 * @module
 */

import { Hono } from "hono";
import { cors } from "hono/cors";
import type { Clock } from "../core/clock.ts";
import type { Random } from "../core/random.ts";
import type { Timers } from "../core/timers.ts";
import { NativeCodec } from "../segment/codecs/native_codec.ts";
import type { Authenticator } from "./auth/authenticator.ts";
import type { MetastoreApi, PagestoreApi, Role } from "./engines.ts";
import { Endpoints } from "./http/endpoints.ts";
import { problemFormat } from "./http/error_formats.ts";
import { StatusError } from "./http/failure.ts";
import type { OriginGuard } from "./http/origin_guard.ts";
import { addProtocolRoutes, isProtocolPath, refuseUnknownCall } from "./routes/protocol_routes.ts";
import { addStatusRoutes, type StoreHealth } from "./routes/status_routes.ts";
import { addV1Routes } from "./routes/v1/v1_routes.ts";
import { Subscriptions } from "./subscriptions/subscriptions.ts";
import type { PrometheusMetrics } from "./telemetry/prometheus.ts";
import { RequestMetrics } from "./telemetry/request_metrics.ts";

/** What the interface works on. */
export interface AppParts {
  /** Which calls are answered. */
  readonly role: Role;
  /** Answers the metastore's calls. */
  readonly metastore: MetastoreApi;
  /** Answers the pagestore's calls. */
  readonly pagestore: PagestoreApi;
  /** Checks tokens; undefined: everybody may do everything. */
  readonly authenticator: Authenticator | undefined;
  /** Keeps web pages of other sites away; undefined: all may call. */
  readonly guard: OriginGuard | undefined;
  /** Origins whose pages may call; `*`: all. */
  readonly cors: readonly string[];
  /** The longest body of `write_pages`, and of a commit, in bytes. */
  readonly bodyLimitBytes: number;
  /** What `/ready` asks. */
  readonly stores: readonly StoreHealth[];
  /** What `/metrics` shows. */
  readonly metrics: PrometheusMetrics;
  /** The time of requests. */
  readonly clock: Clock;
  /** Makes request ids. */
  readonly random: Random;
  /** Wakes time limits. */
  readonly timers: Timers;
}

/** The interface. */
export interface App {
  /** Answers a request; it never rejects. */
  fetch(request: Request): Response | Promise<Response>;
  /** Ends all events, answers every further request with 503, and resolves when those under way are answered. */
  drain(): Promise<void>;
}

/**
 * Puts the routes together.
 *
 * Nothing runs between hono's router and a route's handler but what `Endpoints` does, as each further
 * middleware would cost every read about a microsecond.
 */
export function createApp(parts: AppParts): App {
  const { metrics } = parts;
  const endpoints = new Endpoints({ ...parts, metrics: new RequestMetrics(metrics) });
  const app = new Hono();
  if (parts.cors.length > 0) app.use(allowOrigins(parts.cors));
  const subscriptions = new Subscriptions(parts);
  addProtocolRoutes(app, { ...parts, endpoints });
  const codec = new NativeCodec();
  const compress = (raw: Uint8Array) => codec.compress(raw);
  addV1Routes(app, { ...parts, endpoints, subscriptions, compress });
  addStatusRoutes(app, { ...parts, endpoints });
  const refuseCall = refuseUnknownCall({ ...parts, endpoints });
  const refuse = endpoints.wrap({ name: "unknown", errors: problemFormat }, (_, __, { req }) => {
    const where = parts.role === "all" ? "" : ` on a server with the role "${parts.role}"`;
    throw new StatusError(404, `Cannot serve ${req.path}: there is no such route${where}`);
  });
  app.notFound((context) =>
    isProtocolPath(context.req.path) ? refuseCall(context) : refuse(context)
  );
  const drain = () => {
    subscriptions.close();
    return endpoints.drain();
  };
  return { fetch: (request) => app.fetch(request), drain };
}

function allowOrigins(origins: readonly string[]) {
  return cors({
    origin: origins.includes("*") ? "*" : [...origins],
    allowMethods: ["GET", "POST", "DELETE"],
    allowHeaders: [
      "accept",
      "authorization",
      "content-encoding",
      "content-type",
      "last-event-id",
      "x-request-id",
    ],
    exposeHeaders: ["allow", "location", "retry-after", "www-authenticate", "x-request-id"],
    maxAge: 7200,
  });
}
