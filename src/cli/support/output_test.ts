import assert from "node:assert/strict";
import { type Column, formatTable } from "./output.ts";

interface Row {
  readonly name: string;
  readonly count: number;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: "NAME", cell: ({ name }) => name },
  { title: "COUNT", cell: ({ count }) => String(count), alignRight: true },
  { title: "NOTE", cell: ({ count }) => count > 1 ? "many" : "" },
];

Deno.test("formatTable() lays columns out under their headings", () => {
  const rows = [{ name: "a", count: 1 }, { name: "longer", count: 123_456 }];
  assert.deepEqual(formatTable(rows, COLUMNS), [
    "NAME     COUNT  NOTE",
    "a            1",
    "longer  123456  many",
  ]);
});

Deno.test("formatTable() shows the headings of an empty table", () => {
  assert.deepEqual(formatTable([], COLUMNS), ["NAME  COUNT  NOTE"]);
});
