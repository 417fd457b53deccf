import assert from "node:assert/strict";
import { formatRows } from "./rows_format.ts";

const ROWS = [
  { id: 1, name: "Ann", score: -1.5, data: Uint8Array.of(0, 255) },
  { id: 9007199254740993n, name: 'B, "b"\nb', score: null, data: null },
];

Deno.test("rows are laid out in columns, numbers at the right", () => {
  assert.deepEqual(formatRows(ROWS, "table"), [
    "              id  name       score  data",
    "               1  Ann         -1.5  x'00ff'",
    '9007199254740993  B, "b"\\nb',
  ]);
});

Deno.test("rows are objects in JSON, integers with all their digits", () => {
  assert.deepEqual(formatRows(ROWS, "json"), [
    `{"id":1,"name":"Ann","score":-1.5,"data":"x'00ff'"}`,
    `{"id":9007199254740993,"name":"B, \\"b\\"\\nb","score":null,"data":null}`,
  ]);
});

Deno.test("rows are lines of CSV under a line of names", () => {
  assert.deepEqual(formatRows(ROWS, "csv"), [
    `id,name,score,data\n1,Ann,-1.5,x'00ff'\n9007199254740993,"B, ""b""\nb",,`,
  ]);
});

Deno.test("no rows are no lines", () => {
  for (const format of ["table", "json", "csv"] as const) {
    assert.deepEqual(formatRows([], format), []);
  }
});

Deno.test("nothing is lost at the end of CSV, and empty text is not null", () => {
  const rows = [{ x: "a" }, { x: "" }, { x: null }, { x: "end  \n" }];
  assert.deepEqual(formatRows(rows, "csv"), ['x\na\n""\n\n"end  \n"']);
});

Deno.test("a table commands no terminal", () => {
  const rows = [{ x: "\x1b[31mred\x9b\x07\tend" }];
  assert.deepEqual(formatRows(rows, "table"), ["x", "\\x1b[31mred\\x9b\\x07\\tend"]);
});
