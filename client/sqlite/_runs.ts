// How what users give is run on a connection.

import { GraftError } from "../../src/core/errors.ts";
import type { Connection } from "./connection.ts";
import { TransactionScope } from "./_transaction_scope.ts";
import { SqlTransaction } from "./sql_transaction.ts";

/** Runs a transaction: all of it or nothing. */
export async function runOnce<T>(
  connection: Connection,
  begin: string,
  run: (tx: SqlTransaction) => T | Promise<T>,
): Promise<T> {
  await connection.control(begin);
  const scope = new TransactionScope();
  const tx = new SqlTransaction(connection, scope);
  const { observer } = connection;
  connection.observer = scope;
  try {
    const result = await run(tx);
    await tx.end();
    if (!connection.isInTransaction) throw scope.lost("commit");
    await connection.control("commit");
    return result;
  } finally {
    await tx.stop();
    connection.observer = observer;
    if (connection.isInTransaction) await connection.control("rollback");
  }
}

/** Runs a transaction in which SQLite refuses what writes. */
export async function readOnce<T>(
  connection: Connection,
  run: (tx: SqlTransaction) => T | Promise<T>,
): Promise<T> {
  await connection.control("pragma query_only = on");
  try {
    return await runOnce(connection, "begin", run);
  } finally {
    await connection.control("pragma query_only = off");
  }
}

/** Runs statements that must not leave a transaction open. */
export async function atRest<T>(connection: Connection, run: () => Promise<T>): Promise<T> {
  try {
    const result = await run();
    if (!connection.isInTransaction) return result;
  } finally {
    if (connection.isInTransaction) await connection.control("rollback");
  }
  throw new GraftError("invalid", "Cannot leave a transaction open: it was rolled back", {
    hint: "Use transaction(), or one script() that begins and ends it",
  });
}

/** @throws {GraftError} `invalid` for a statement that changes the database. */
export async function requireReadOnly(
  connection: Connection,
  sql: string,
  action: string,
): Promise<void> {
  if (await connection.isReadOnly(sql)) return;
  throw new GraftError("invalid", `Cannot ${action} "${sql}": it changes the database`, {
    hint: "Use query() for statements that change rows and return them",
  });
}
