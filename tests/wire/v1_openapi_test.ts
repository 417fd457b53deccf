// The description of the v1 interface against the interface.

import assert from "node:assert/strict";
import { Hono } from "hono";
import type { Endpoints } from "../../src/server/http/endpoints.ts";
import { addV1Routes } from "../../src/server/routes/v1/v1_routes.ts";
import { bounded, serverOfFile } from "./_support/server.ts";
import { V1Volume } from "./_support/v1.ts";

const server = serverOfFile();

/** The part of JSON Schema that the description uses. */
interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly enum?: readonly string[];
}

type Operation = Readonly<
  { responses: Record<string, { content?: Record<string, { schema: Schema }> }> }
>;

interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

async function describe(): Promise<Description> {
  const response = await fetch(`${server.to.metastore}/v1/openapi.json`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "application/json");
  return await response.json();
}

const METHODS = ["get", "post", "delete", "put", "patch"];

function operationsOf({ paths }: Description): string[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item).filter((key) => METHODS.includes(key)).map((method) =>
      `${method.toUpperCase()} ${path}`
    )
  ).sort();
}

bounded("every route is described, and every described call is served", async () => {
  const description = await describe();
  const app = new Hono();
  // what is not served is refused by another handler, which has no part in this
  const served: string[] = [];
  const endpoints = {
    wrap: ({ name }: { name: string }) => {
      served.push(name.replace(/:(\w+)/g, "{$1}"));
      return () => new Response();
    },
    refuseMethods: () => () => new Response(),
  } as unknown as Endpoints;
  const none = {} as never;
  addV1Routes(app, {
    endpoints,
    role: "all",
    metastore: none,
    pagestore: none,
    subscriptions: none,
    clock: none,
    compress: none,
    bodyLimitBytes: 0,
  });
  assert.deepEqual(served.sort(), operationsOf(description));
});

bounded("every described call answers as something that is served", async () => {
  const { vid } = new V1Volume(server.to);
  for (const operation of operationsOf(await describe())) {
    const [method, path] = operation.split(" ");
    const url = server.to.metastore + path.replace("{vid}", vid).replace("{set}", "1");
    const response = await fetch(url, { method });
    await response.body?.cancel();
    assert.notEqual(response.status, 405, operation);
    const unknown = response.status === 404 &&
      response.headers.get("content-type") !== "application/problem+json";
    assert.ok(!unknown, operation);
  }
});

function check(description: Description, schema: Schema, value: unknown, at: string): void {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split("/").at(-1) ?? "";
    return check(description, description.components.schemas[name], value, at);
  }
  const found = value === null
    ? "null"
    : Array.isArray(value)
    ? "array"
    : Number.isInteger(value)
    ? "integer"
    : typeof value;
  assert.ok([schema.type ?? found].flat().includes(found), `${at} is ${found}`);
  if (schema.enum !== undefined) assert.ok(schema.enum.includes(String(value)), at);
  if (typeof value === "string" && schema.pattern !== undefined) {
    assert.match(value, new RegExp(schema.pattern), at);
  }
  if (typeof value === "number" && schema.minimum !== undefined) {
    assert.ok(value >= schema.minimum, at);
  }
  if (Array.isArray(value)) {
    for (const item of value) check(description, schema.items ?? {}, item, `${at}[]`);
  } else if (typeof value === "object" && value !== null) {
    checkFields(description, schema, value as Record<string, unknown>, at);
  }
}

function checkFields(
  description: Description,
  { properties = {}, required = [] }: Schema,
  value: Record<string, unknown>,
  at: string,
): void {
  for (const name of required) assert.ok(name in value, `${at} lacks "${name}"`);
  for (const [name, field] of Object.entries(value)) {
    if (at.startsWith("Problem") && name === "hint") continue;
    assert.ok(name in properties, `${at} has "${name}", which is not described`);
    check(description, properties[name], field, `${at}.${name}`);
  }
}

bounded("answers have the shape that is described", async () => {
  const description = await describe();
  const { schemas } = description.components;
  const base = server.to.metastore;
  const volume = new V1Volume(server.to);
  const get = async (url: string, init?: RequestInit) => await (await fetch(url, init)).json();
  check(description, schemas.Snapshot, await volume.commit({ pages: { 1: "a" } }), "Snapshot");
  check(description, schemas.Snapshot, await get(volume.url), "Snapshot");
  const made = await get(`${base}/v1/volumes`, { method: "POST" });
  check(description, schemas.Snapshot, made, "Snapshot");
  check(description, schemas.Volumes, await get(`${base}/v1/volumes?limit=1`), "Volumes");
  check(description, schemas.Log, await get(`${volume.url}/log`), "Log");
  check(description, schemas.Changes, await volume.changes(), "Changes");
  check(description, schemas.Changes, await volume.changes("?since=0"), "Changes");
  check(description, schemas.Problem, await get(`${volume.url}/changes?since=9`), "Problem");
  check(description, schemas.Problem, await get(`${base}/v1/events`), "Problem");
  const events = await fetch(`${base}/v1/events?volumes=${volume.vid}`);
  const reader = events.body!.pipeThrough(new TextDecoderStream()).getReader();
  const { value } = await reader.read();
  await reader.cancel();
  const data = /event: commit\ndata: (.+)\n/.exec(value ?? "")?.[1];
  check(description, schemas.CommitEvent, JSON.parse(data ?? "null"), "CommitEvent");
});
