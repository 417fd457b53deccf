/**
 * What all routes share: who may call, how long it may take, how errors are answered, what is counted.
 *
 * @module
 */

import { getLogger, type Logger } from "@logtape/logtape";
import type { Context } from "hono";
import type { Clock } from "../../core/clock.ts";
import { GraftError } from "../../core/errors.ts";
import type { Random } from "../../core/random.ts";
import type { Timers } from "../../core/timers.ts";
import type { Authenticator } from "../auth/authenticator.ts";
import { ALL_RIGHTS, type Claims } from "../auth/claims.ts";
import type { RequestMetrics, RouteMetrics } from "../telemetry/request_metrics.ts";
import { Deadlines } from "./deadlines.ts";
import type { ErrorFormat } from "./error_formats.ts";
import { ANSWER_LIMIT_MS, Exchange, STALL_LIMIT_MS } from "./exchange.ts";
import { failureHeaders, StatusError, toFailure } from "./failure.ts";
import type { OriginGuard } from "./origin_guard.ts";

/** What {@linkcode Endpoints} is made of. */
export interface EndpointParts {
  /** Checks tokens; undefined: everybody may do everything. */
  readonly authenticator: Authenticator | undefined;
  /** Keeps web pages away; undefined: all may call. */
  readonly guard: OriginGuard | undefined;
  /** Counts and times requests. */
  readonly metrics: RequestMetrics;
  /** The time of requests. */
  readonly clock: Clock;
  /** Makes request ids. */
  readonly random: Random;
  /** Wakes the time limits. */
  readonly timers: Timers;
}

/** Answers a request whose sender has these claims. */
export type Handler = (
  exchange: Exchange,
  claims: Claims,
  context: Context,
) => Promise<Response> | Response;

/** How a route differs from others. */
export interface RouteOptions {
  /** Its name in metrics and logs. */
  readonly name: string;
  /** How its errors are written. */
  readonly errors: ErrorFormat;
  /** Whether it answers without a token where a key is set. */
  readonly open?: boolean;
  /** Whether it answers whatever the request's `Host` and `Origin` are, as probes call by any name. */
  readonly unguarded?: boolean;
}

/**
 * The methods that hono is told about. A path is registered for each on its own and never for all at once:
 * a request that matches two handlers goes through hono's chain of middleware, which costs it.
 */
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** All methods but these. */
export function otherMethods(methods: readonly string[]): string[] {
  return METHODS.filter((method) => !methods.includes(method));
}

const SHUTTING_DOWN = new GraftError(
  "unavailable",
  "Cannot serve the request: the server is shutting down",
);

/** A request that takes longer is logged. */
const SLOW_MS = 1000;

/** Wraps handlers. */
export class Endpoints {
  readonly #parts: EndpointParts;
  readonly #deadlines: Deadlines;
  readonly #log: Logger = getLogger(["graft", "server"]);
  readonly #logsAll: boolean;
  #drained: PromiseWithResolvers<void> | undefined;

  /** Takes its parts; whether every request is logged is settled here, by the level of the log. */
  constructor(parts: EndpointParts) {
    this.#parts = parts;
    this.#deadlines = new Deadlines(parts.clock, parts.timers);
    this.#logsAll = this.#log.isEnabledFor("debug");
  }

  /**
   * Answers every further request with 503, and resolves when those under way are answered.
   *
   * The runtime's own graceful shutdown breaks off bodies that still stream in, so it comes after this.
   */
  drain(): Promise<void> {
    if (this.#drained === undefined) {
      this.#drained = Promise.withResolvers();
      const requests = this.#deadlines.count;
      this.#log.info("stopping with {requests} requests under way", { requests });
      this.#tellWhenDrained();
    }
    return this.#drained.promise;
  }

  #tellWhenDrained(): void {
    if (this.#deadlines.count === 0) this.#drained?.resolve();
  }

  /** The handler as hono takes it; it never rejects. */
  wrap(options: RouteOptions, handler: Handler): (context: Context) => Promise<Response> {
    const route: Route = { options, metrics: this.#parts.metrics.route(options.name), handler };
    return (context) => new Promise((resolve) => this.#serve(route, context, resolve));
  }

  /** The handler for requests with another method than those that a path has. */
  refuseMethods(
    errors: ErrorFormat,
    methods: readonly string[],
  ): (context: Context) => Promise<Response> {
    const allow = methods.join(", ");
    return this.wrap({ name: "unknown", errors }, ({ request }, _claims, { req }) => {
      const message = `Cannot ${request.method} ${req.path}: only ${allow} is served here`;
      throw new StatusError(405, message, { allow });
    });
  }

  /** Written without `async`, as each further promise between a request and its answer costs it. */
  #serve(route: Route, context: Context, resolve: (response: Response) => void): void {
    let answered = false;
    const answer = (response: Response) => {
      if (answered) return;
      answered = true;
      this.#finish(route, exchange, response);
      resolve(response);
    };
    const refuse = (error: unknown) => answered || answer(this.#refuse(route, exchange, error));
    const exchange = new Exchange(context.req.raw, this.#parts.clock.monotonic(), {
      deadlines: this.#deadlines,
      random: this.#parts.random,
      onLate: (late) => refuse(this.#giveUp(late)),
    });
    route.metrics.began();
    if (this.#drained !== undefined) return void refuse(SHUTTING_DOWN);
    this.#deadlines.watch(exchange, exchange.startedMs);
    try {
      const claims = this.#claimsOf(route, exchange.request);
      Promise.resolve(route.handler(exchange, claims, context)).then(answer, refuse);
    } catch (error) {
      refuse(error);
    }
  }

  #claimsOf(route: Route, request: Request): Claims {
    const { authenticator, guard } = this.#parts;
    if (!route.options.unguarded) guard?.check(request);
    if (authenticator === undefined || route.options.open) return ALL_RIGHTS;
    return authenticator.authenticate(request.headers.get("authorization"));
  }

  #giveUp(exchange: Exchange): GraftError {
    // either way the same request may succeed the next time
    const error = new GraftError(
      "unavailable",
      exchange.waitsForClient
        ? `Cannot read the request: nothing of its body came for ${STALL_LIMIT_MS / 1000} seconds`
        : `Cannot answer the request: it took more than ${ANSWER_LIMIT_MS / 1000} seconds`,
    );
    exchange.giveUp(error);
    return error;
  }

  #refuse(route: Route, exchange: Exchange, error: unknown): Response {
    const requestId = () => exchange.id;
    const failure = toFailure(error, requestId);
    if (failure.status >= 500 && error !== SHUTTING_DOWN) {
      this.#logFailure(route, exchange, failure.status, error);
    }
    letGoOfBody(exchange.request);
    const { errors } = route.options;
    return new Response(errors.encode(failure, requestId), {
      status: failure.status,
      headers: {
        "content-type": errors.mediaType,
        "x-request-id": exchange.id,
        ...failureHeaders(failure, error),
      },
    });
  }

  #finish(route: Route, exchange: Exchange, response: Response): void {
    this.#deadlines.release(exchange);
    if (this.#drained !== undefined) this.#tellWhenDrained();
    const tookMs = this.#parts.clock.monotonic() - exchange.startedMs;
    route.metrics.ended(response.status, tookMs / 1000);
    if (tookMs < SLOW_MS && !this.#logsAll) return;
    const properties = {
      route: route.options.name,
      status: response.status,
      tookMs: Math.round(tookMs * 1000) / 1000,
      requestId: exchange.id,
    };
    if (tookMs < SLOW_MS) this.#log.debug("{route} answered {status}", properties);
    else this.#log.warn("{route} took {tookMs} ms and answered {status}", properties);
  }

  #logFailure(route: Route, exchange: Exchange, status: number, error: unknown): void {
    const properties = { route: route.options.name, status, requestId: exchange.id, error };
    if (status === 503) this.#log.warn("{route} was unavailable: {error}", properties);
    else this.#log.error("{route} failed: {error}", properties);
  }
}

/** A route as the requests on it need it. */
interface Route {
  readonly options: RouteOptions;
  readonly metrics: RouteMetrics;
  readonly handler: Handler;
}

/** So that the connection is free for the next request although nobody reads this one's body. */
function letGoOfBody(request: Request): void {
  if (request.body === null || request.body.locked) return;
  request.body.cancel().catch(() => {});
}
