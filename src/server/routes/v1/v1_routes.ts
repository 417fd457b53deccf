/**
 * The routes of our own interface, put together.
 *
 * @module
 */

import type { Hono } from "hono";
import type { Role } from "../../engines.ts";
import { type Endpoints, type Handler, otherMethods } from "../../http/endpoints.ts";
import { problemFormat } from "../../http/error_formats.ts";
import type { Answer, RouteParts, Routes } from "./_asked.ts";
import { COMMIT_ROUTES } from "./commit_routes.ts";
import { EVENT_ROUTES } from "./event_routes.ts";
import { answerOpenApi } from "./openapi.ts";
import { PAGE_ROUTES } from "./page_routes.ts";
import { VOLUME_ROUTES } from "./volume_routes.ts";

/** What the routes work on. */
export interface V1Parts extends RouteParts {
  /** Who may call, and how errors are answered. */
  readonly endpoints: Endpoints;
  /** Which of the routes are answered. */
  readonly role: Role;
}

/** The path of the description of all routes. */
export const OPENAPI_PATH = "/v1/openapi.json";

/** Commits move pages and move the log, so that either role takes them. */
const ROUTES_OF: Readonly<Record<Role, Routes>> = {
  all: { ...VOLUME_ROUTES, ...EVENT_ROUTES, ...COMMIT_ROUTES, ...PAGE_ROUTES },
  metastore: { ...VOLUME_ROUTES, ...EVENT_ROUTES, ...COMMIT_ROUTES },
  pagestore: { ...COMMIT_ROUTES, ...PAGE_ROUTES },
};

/** Adds the routes of a role to `app`. */
export function addV1Routes(app: Hono, parts: V1Parts): void {
  for (const [path, methods] of Object.entries(ROUTES_OF[parts.role])) {
    for (const [method, answer] of Object.entries(methods)) add(app, parts, method, path, answer);
    refuseOthers(app, parts, path, Object.keys(methods));
  }
  // who has no token yet may read how to use one
  add(app, parts, "GET", OPENAPI_PATH, answerOpenApi, true);
  refuseOthers(app, parts, OPENAPI_PATH, ["GET"]);
}

function add(
  app: Hono,
  parts: V1Parts,
  method: string,
  path: string,
  answer: Answer,
  open = false,
): void {
  const route = { name: `${method} ${path}`, errors: problemFormat, open };
  const handler: Handler = (exchange, claims, context) =>
    answer({ exchange, claims, context, parts });
  app.on(method, path, parts.endpoints.wrap(route, handler));
}

function refuseOthers(
  app: Hono,
  { endpoints }: V1Parts,
  path: string,
  served: readonly string[],
): void {
  app.on(otherMethods(served), path, endpoints.refuseMethods(problemFormat, served));
}
