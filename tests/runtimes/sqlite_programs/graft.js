/** The bundle under the name that `run.mjs` knows. */
export * from "./graft_sqlite.js";
