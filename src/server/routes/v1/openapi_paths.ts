/**
 * The calls of the v1 interface, as OpenAPI describes them.
 *
 * @module
 */

import { COMMIT_MEDIA_TYPE, PAGE_SET_MEDIA_TYPE, PAGES_MEDIA_TYPE } from "../../../wire/v1/mod.ts";

type SchemaName = "Snapshot" | "Volumes" | "Log" | "Changes" | "Problem";

const ref = (name: SchemaName) => ({ $ref: `#/components/schemas/${name}` });
const json = (description: string, name: SchemaName) => ({
  description,
  content: { "application/json": { schema: ref(name) } },
});
const binary = { type: "string", format: "binary" };

/** Every call may be refused; a client goes by the problem's `code`. */
const PROBLEM = {
  default: {
    description: "A problem: what is wrong, and what to do about it",
    content: { "application/problem+json": { schema: ref("Problem") } },
  },
};

const path = (name: string, description: string, schema: Record<string, unknown>) => ({
  name,
  in: "path",
  required: true,
  description,
  schema,
});
const query = (name: string, description: string, schema: Record<string, unknown>) => ({
  name,
  in: "query",
  description,
  schema,
});

const VID = path("vid", "The volume", { type: "string", minLength: 22, maxLength: 22 });
const LSN = { type: "integer", minimum: 1 };
const LIMIT = query("limit", "Rows of the answer", {
  type: "integer",
  minimum: 1,
  maximum: 1000,
  default: 100,
});
const AT_LSN = query("lsn", "The LSN to read at; without it the newest", LSN);

const PAGES = {
  200: {
    description: "The pages that exist at that LSN: a page stream (docs/formats/page_stream.md). " +
      `They are compressed where accept is "${PAGES_MEDIA_TYPE};codec=zstd"`,
    content: { [PAGES_MEDIA_TYPE]: { schema: binary } },
  },
  ...PROBLEM,
};

const EVENTS = {
  200: {
    description: "Server-sent events, until the reader goes",
    content: { "text/event-stream": { schema: { type: "string" } } },
  },
  ...PROBLEM,
};
const FOLLOWED = {
  type: "object",
  properties: {
    volumes: { type: "array", items: { type: "string" }, minItems: 1, maxItems: 1000 },
    lastEventId: { type: ["string", "null"], description: "Goes before the header of that name" },
  },
  required: ["volumes"],
};
const LAST_EVENT_ID = {
  name: "last-event-id",
  in: "header",
  description: "The id of the last event seen",
  schema: { type: "string" },
};

/** By path. */
export const OPENAPI_PATHS = {
  "/v1/volumes": {
    get: {
      summary: "List volumes by id",
      parameters: [
        query("prefix", "What the ids begin with", { type: "string", maxLength: 22 }),
        query("after", "The id to go on after", { type: "string" }),
        LIMIT,
      ],
      responses: { 200: json("Volumes that the token may read", "Volumes"), ...PROBLEM },
    },
    post: {
      summary: "Make a volume with an empty commit at LSN 1",
      requestBody: {
        content: {
          "application/json": {
            schema: { type: "object", properties: { cid: { type: "string" } } },
          },
        },
      },
      responses: { 201: json("The volume's first snapshot", "Snapshot"), ...PROBLEM },
    },
  },
  "/v1/volumes/{vid}": {
    parameters: [VID],
    get: {
      summary: "The newest snapshot",
      responses: { 200: json("The snapshot", "Snapshot"), ...PROBLEM },
    },
    delete: {
      summary: "Delete the volume for ever",
      responses: { 204: { description: "It is deleted" }, ...PROBLEM },
    },
  },
  "/v1/volumes/{vid}/snapshot": {
    parameters: [VID],
    get: {
      summary: "The snapshot at a point in history",
      parameters: [
        query("at", "An LSN, a time (RFC 3339) or a time ago (2h, 7d)", { type: "string" }),
      ],
      responses: { 200: json("The snapshot", "Snapshot"), ...PROBLEM },
    },
  },
  "/v1/volumes/{vid}/changes": {
    parameters: [VID],
    get: {
      summary: "What changed after an LSN, and the snapshot that it led to",
      parameters: [
        query("since", "The LSN that the caller has; 0: none; without it no pages are listed", {
          type: "integer",
          minimum: 0,
        }),
        query("to", "The LSN to end at; without it the newest", LSN),
      ],
      responses: { 200: json("The changes", "Changes"), ...PROBLEM },
    },
  },
  "/v1/volumes/{vid}/log": {
    parameters: [VID],
    get: {
      summary: "The volume's commits, oldest first",
      parameters: [query("from", "The first LSN", LSN), LIMIT],
      responses: { 200: json("Commits", "Log"), ...PROBLEM },
    },
  },
  "/v1/volumes/{vid}/pages/{set}": {
    parameters: [VID, path("set", "Page indexes and ranges: 1-64,70", { type: "string" })],
    get: { summary: "Pages at an LSN", parameters: [AT_LSN], responses: PAGES },
  },
  "/v1/volumes/{vid}/pages": {
    parameters: [VID],
    post: {
      summary: "Pages at an LSN, where their list is long",
      parameters: [AT_LSN],
      requestBody: { required: true, content: { [PAGE_SET_MEDIA_TYPE]: { schema: binary } } },
      responses: PAGES,
    },
  },
  "/v1/volumes/{vid}/commits": {
    parameters: [VID],
    post: {
      summary: "Commit a whole transaction; a repeat with the same request id is the same commit",
      requestBody: { required: true, content: { [COMMIT_MEDIA_TYPE]: { schema: binary } } },
      responses: {
        200: json("The snapshot that the commit made, now or before", "Snapshot"),
        ...PROBLEM,
      },
    },
  },
  "/v1/events": {
    get: {
      summary: "Follow volumes: events `commit` (CommitEvent), `deleted`, `forbidden` and `resync`",
      parameters: [
        {
          ...query("volumes", "Up to 1,000 ids, commas between", { type: "string" }),
          required: true,
        },
        LAST_EVENT_ID,
      ],
      responses: EVENTS,
    },
    post: {
      summary: "Follow volumes, where their list is long",
      parameters: [LAST_EVENT_ID],
      requestBody: { required: true, content: { "application/json": { schema: FOLLOWED } } },
      responses: EVENTS,
    },
  },
  "/v1/openapi.json": {
    get: {
      summary: "This description",
      security: [{}],
      responses: {
        200: {
          description: "OpenAPI 3.1",
          content: { "application/json": { schema: { type: "object" } } },
        },
        ...PROBLEM,
      },
    },
  },
} as const;
