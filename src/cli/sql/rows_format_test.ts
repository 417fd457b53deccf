import assert from "node:assert/strict";
import { formatRows } from "./rows_format.ts";

const ANSWER = {
  columns: ["id", "name", "score", "data"],
  rows: [
    [1, "Ann", -1.5, Uint8Array.of(0, 255)],
    [9007199254740993n, 'B, "b"\nb', null, null],
  ],
};

Deno.test("rows are laid out in columns, numbers at the right", () => {
  assert.deepEqual(formatRows(ANSWER, "table"), [
    "              id  name       score  data",
    "               1  Ann         -1.5  x'00ff'",
    '9007199254740993  B, "b"\\nb',
  ]);
});

Deno.test("rows are objects in JSON, integers with all their digits", () => {
  assert.deepEqual(formatRows(ANSWER, "json"), [
    `{"id":1,"name":"Ann","score":-1.5,"data":"x'00ff'"}`,
    `{"id":9007199254740993,"name":"B, \\"b\\"\\nb","score":null,"data":null}`,
  ]);
});

Deno.test("rows are lines of CSV under a line of names", () => {
  assert.deepEqual(formatRows(ANSWER, "csv"), [
    `id,name,score,data\n1,Ann,-1.5,x'00ff'\n9007199254740993,"B, ""b""\nb",,`,
  ]);
});

Deno.test("columns of one name are all shown, and told apart in JSON", () => {
  const answer = { columns: ["a", "b", "a", "a:1", "a"], rows: [[1, 2, 3, 4, 5]] };
  assert.deepEqual(formatRows(answer, "table"), ["a  b  a  a:1  a", "1  2  3    4  5"]);
  assert.deepEqual(formatRows(answer, "csv"), ["a,b,a,a:1,a\n1,2,3,4,5"]);
  assert.deepEqual(formatRows(answer, "json"), ['{"a":1,"b":2,"a:2":3,"a:1":4,"a:3":5}']);
});

Deno.test("no rows are no lines", () => {
  for (const format of ["table", "json", "csv"] as const) {
    assert.deepEqual(formatRows({ columns: ["a"], rows: [] }, format), []);
  }
});

Deno.test("nothing is lost at the end of CSV, and empty text is not null", () => {
  const answer = { columns: ["x"], rows: [["a"], [""], [null], ["end  \n"]] };
  assert.deepEqual(formatRows(answer, "csv"), ['x\na\n""\n\n"end  \n"']);
});

Deno.test("a table commands no terminal", () => {
  const answer = { columns: ["\x1b[2J"], rows: [["\x1b[31mred\x9b\x07\tend"]] };
  assert.deepEqual(formatRows(answer, "table"), [
    "\\x1b[2J",
    "\\x1b[31mred\\x9b\\x07\\tend",
  ]);
});
