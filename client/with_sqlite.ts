/**
 * The whole client, SQLite with it, as one module: what the bundle `graft_sqlite.js` exports.
 *
 * @module
 */

export * from "./mod.ts";
export * from "./sqlite/mod.ts";
