/**
 * The description of the v1 interface in OpenAPI 3.1.
 *
 * @module
 */

import type { Answer } from "./_asked.ts";
import { OPENAPI_PATHS } from "./openapi_paths.ts";
import { OPENAPI_SCHEMAS } from "./openapi_schemas.ts";

/** The description; a test holds it to the routes that are served, and another to what they answer. */
export const OPENAPI = {
  openapi: "3.1.0",
  info: {
    title: "Graft",
    version: "1",
    description: "Volumes of pages: read them at any point of their history, and commit to them. " +
      "docs/http.md has examples; docs/formats has the binary bodies.",
    license: { name: "MIT", identifier: "MIT" },
  },
  // a server without a key asks for no token
  security: [{}, { token: [] }],
  paths: OPENAPI_PATHS,
  components: {
    schemas: OPENAPI_SCHEMAS,
    securitySchemes: {
      token: {
        type: "http",
        scheme: "bearer",
        bearerFormat: "PASETO v4.local",
        description: "Made with `graft token new`; it may be for some volumes and some verbs only",
      },
    },
  },
} as const;

const BODY = JSON.stringify(OPENAPI);

/** Answers with the description. */
export const answerOpenApi: Answer = () =>
  new Response(BODY, { headers: { "content-type": "application/json" } });
