/**
 * The shapes of what the v1 interface takes and answers, as JSON Schema.
 *
 * @module
 */

const gid = (what: string) => ({
  type: "string",
  pattern: "^[1-9A-HJ-NP-Za-km-z]{22}$",
  description: what,
});
const lsn = (description: string) => ({ type: "integer", minimum: 1, description });
const digest = (description: string) => ({
  type: "string",
  pattern: "^[0-9a-f]{32}$",
  description,
});
const nullable = <T extends { type: string }>(schema: T) => ({
  ...schema,
  type: [schema.type, "null"],
});
const object = <P extends Record<string, unknown>>(properties: P) => ({
  type: "object",
  properties,
  required: Object.keys(properties),
});
const graft = {
  type: ["string", "null"],
  pattern: "^[A-Za-z0-9_-]*$",
  description: "A page set (docs/formats/page_set.md) as base64url without padding",
};

const SNAPSHOT = {
  vid: gid("The volume"),
  cid: gid("The client that committed"),
  lsn: lsn("The place in the volume's line"),
  checkpointLsn: lsn("The oldest LSN that is still readable"),
  pageCount: { type: "integer", minimum: 0, maximum: 2 ** 28, description: "Pages of 4,096 bytes" },
  timestamp: { type: "string", format: "date-time", description: "When it was committed" },
  digest: digest("The commit's digest, which covers the digest of the commit before it"),
};

/** By name. */
export const OPENAPI_SCHEMAS = {
  Snapshot: object(SNAPSHOT),
  Volumes: object({
    volumes: { type: "array", items: { $ref: "#/components/schemas/Snapshot" } },
    next: nullable(gid("What to ask for as `after`; null on the last page")),
  }),
  Commit: object({
    ...SNAPSHOT,
    pagesChanged: { type: "integer", minimum: 0 },
    segments: {
      type: "array",
      items: object({ sid: gid("The segment"), pages: { type: "integer", minimum: 1 } }),
    },
  }),
  Log: object({
    commits: { type: "array", items: { $ref: "#/components/schemas/Commit" } },
    next: nullable(lsn("What to ask for as `from`; null on the last page")),
  }),
  Changes: object({
    snapshot: { $ref: "#/components/schemas/Snapshot" },
    range: {
      ...object({ start: lsn("Inclusive"), end: lsn("Inclusive") }),
      type: ["object", "null"],
      description:
        "The LSNs that the graft covers; null where nothing changed, or no `since` was given",
    },
    graft,
    sinceDigest: nullable(digest("The digest of the commit at `since`, where it is readable")),
  }),
  CommitEvent: object({
    vid: gid("The volume"),
    cid: gid("The client that committed the newest commit"),
    lsn: lsn("The volume's new head"),
    digest: digest("Its digest"),
    pageCount: SNAPSHOT.pageCount,
    timestamp: SNAPSHOT.timestamp,
    since: {
      type: ["integer", "null"],
      minimum: 0,
      description: "The LSN that the graft counts from; null where there is no graft",
    },
    graft,
  }),
  Problem: {
    ...object({
      type: { type: "string" },
      title: { type: "string" },
      status: { type: "integer" },
      detail: { type: "string" },
      code: {
        type: "string",
        enum: [
          "invalid",
          "missing",
          "conflict",
          "unauthorized",
          "forbidden",
          "unavailable",
          "damaged",
          "aborted",
          "internal",
        ],
      },
      requestId: { type: "string" },
    }),
    description: "RFC 9457; `hint` is there when the detail does not make plain how to recover",
  },
} as const;
