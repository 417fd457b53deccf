// Schemas and statements of all kinds, drawn by chance: most run, some are refused, and both engines have to agree on which.

import type { SqlParameter } from "../../client/sqlite/engine/values.ts";
import type { Chance } from "./chance.ts";

/** A statement with its parameters. */
export interface RandomStatement {
  readonly sql: string;
  readonly parameters: readonly SqlParameter[];
}

/** Words of the full-text table. */
const WORDS = ["apple", "pear", "plum", "fig", "lime", "ölweide", "日本", "quince"];
const CONFLICTS = ["", "", "or ignore", "or replace", "or abort", "or fail", "or rollback"];
const ROWS_MAX = 60;

/** Draws statements for the schema that it drew. */
export class StatementSource {
  readonly #chance: Chance;
  #names = 0;
  /** Columns of table `a`, indexes, and tables, that were added and can be dropped. */
  readonly #columns: string[] = [];
  readonly #indexes: string[] = [];
  readonly #tables: string[] = [];
  readonly #savepoints: string[] = [];

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  /** What both databases begin with. */
  schema(): string[] {
    const autoVacuum = this.#pick(["none", "none", "full", "incremental"]);
    const key = this.#pick(["integer primary key", "integer primary key autoincrement"]);
    const generated = this.#pick([
      "",
      ", g text generated always as (x || '-' || coalesce(y, '')) virtual",
      ", g integer generated always as (length(z)) stored",
    ]);
    const onDelete = this.#pick(["cascade", "set null", "restrict", "no action"]);
    const deferred = this.#pick(["", "deferrable initially deferred"]);
    const raise = this.#pick(["abort, 'no'", "fail, 'no'", "rollback, 'no'", "ignore"]);
    const all = [
      `pragma auto_vacuum = ${autoVacuum}`,
      `create table a (id ${key}, x ${
        this.#pick(["int", "text", "real", ""])
      }, y text, z blob${generated},
        check (x is not 13))`,
      `create table b (p text, q int, r blob, primary key (p, q)) without rowid`,
      `create table c (id integer primary key, a int references a(id) on delete ${onDelete} ${deferred},
        n text not null default 'none')`,
      `create table log (at integer primary key, what text)`,
      `create virtual table f using fts5(title, body)`,
    ];
    const some = [
      "create unique index a_y on a(y)",
      "create index a_x on a(x desc, y)",
      "create index a_part on a(y) where x > 10",
      "create index a_expr on a(length(z), lower(y))",
      "create index b_r on b(r)",
      "create index c_a on c(a)",
      "create trigger a_i after insert on a begin insert into log (what) values ('i' || new.id); end",
      `create trigger a_u after update of x on a when new.x is not old.x
        begin update b set q = q + 1000 where p = old.x; insert into log (what) values ('u' || old.id); end`,
      `create trigger a_d before delete on a
        begin delete from c where n = old.y; insert into log (what) select 'd' || count(*) from a; end`,
      `create trigger b_i before insert on b when new.q = 7
        begin select raise(${raise}); end`,
      "create view v as select a.id, a.y, c.n from a left join c on c.a = a.id",
    ];
    return [...all, ...some.filter(() => this.#chance.is(0.6))];
  }

  /** Anything. */
  next(): RandomStatement {
    const { fraction } = this.#chance;
    const at = fraction.call(this.#chance);
    if (at < 0.2) return this.#control();
    if (at < 0.27) return this.#define();
    if (at < 0.37) return this.#search();
    if (at < 0.62) return this.#insert();
    if (at < 0.8) return this.#update();
    if (at < 0.9) return this.#delete();
    return this.#select();
  }

  #control(): RandomStatement {
    const savepoint = `s${this.#chance.below(3)}`;
    if (this.#chance.is(0.3)) this.#savepoints.push(savepoint);
    return plain(this.#pick([
      "begin",
      "begin immediate",
      "commit",
      "commit",
      "rollback",
      `savepoint ${savepoint}`,
      `savepoint ${savepoint}`,
      `release ${savepoint}`,
      `rollback to ${savepoint}`,
      `rollback to ${savepoint}`,
    ]));
  }

  #define(): RandomStatement {
    const name = `n${this.#names++}`;
    return plain(
      this.#pick([
        () => "vacuum",
        () => "vacuum",
        () => "reindex",
        () => "pragma incremental_vacuum(3)",
        () => `pragma user_version = ${this.#chance.below(1000)}`,
        () => `alter table a add column ${this.#add(this.#columns, name)} int default 5`,
        () => `alter table a drop column ${this.#drop(this.#columns)}`,
        () => `alter table b rename column r to ${name}`,
        () => `alter table b rename column ${name} to r`,
        () =>
          `create index ${this.#add(this.#indexes, name)} on a(${this.#pick(["x", "z", "y, x"])})`,
        () => `drop index ${this.#drop(this.#indexes)}`,
        () => `create table ${this.#add(this.#tables, name)} as select id, y, z from a`,
        () => `drop table ${this.#drop(this.#tables)}`,
        () => "drop table nowhere",
        () => "insert into f(f) values ('optimize')",
        () => "insert into f(f) values ('integrity-check')",
      ])(),
    );
  }

  #insert(): RandomStatement {
    const conflict = this.#pick(CONFLICTS);
    const values = [this.#value(), this.#text(), this.#blob()];
    return this.#pick<() => RandomStatement>([
      () => ({
        sql: `insert ${conflict} into a (x, y, z) values (?, ?, ?)`,
        parameters: values,
      }),
      () => ({
        sql: `insert ${conflict} into a (id, x, y, z) values (?, ?, ?, ?)`,
        parameters: [this.#chance.below(ROWS_MAX), ...values],
      }),
      () => ({
        sql: `insert into a (id, x, y, z) values (?, ?, ?, ?)
          on conflict (id) do update set z = excluded.z, x = x + 1`,
        parameters: [this.#chance.below(ROWS_MAX), ...values],
      }),
      () => ({
        sql: `insert ${conflict} into b values (?, ?, ?)`,
        parameters: [this.#text(), this.#chance.below(12), this.#blob()],
      }),
      () => ({
        sql: `insert ${conflict} into c (a, n) values (?, ?)`,
        parameters: [this.#chance.below(ROWS_MAX), this.#pick([null, this.#text()])],
      }),
      () => ({
        sql: `insert ${conflict} into a (y, z) with recursive i(n) as
          (select 1 union all select n + 1 from i where n < ?)
          select 'bulk' || (n * ?), zeroblob(n * 13 % 900) from i`,
        parameters: [1 + this.#chance.below(60), this.#chance.below(40)],
      }),
    ])();
  }

  #update(): RandomStatement {
    const conflict = this.#pick(CONFLICTS);
    const from = this.#chance.below(ROWS_MAX);
    const range = [from, from + this.#chance.below(20)];
    return this.#pick<() => RandomStatement>([
      () => ({
        sql: `update ${conflict} a set z = ? where id between ? and ?`,
        parameters: [this.#blob(), ...range],
      }),
      () => ({
        sql: `update ${conflict} a set x = ?, y = y || 'x' where id between ? and ?`,
        parameters: [this.#value(), ...range],
      }),
      () => ({
        sql: `update ${conflict} a set id = id + ? where id between ? and ?`,
        parameters: [this.#chance.below(5), ...range],
      }),
      () => ({
        sql: `update ${conflict} a set y = ? where id = ?`,
        parameters: [this.#text(), from],
      }),
      () => ({
        sql: `update ${conflict} b set q = q + ?, p = p || ? where q < ?`,
        parameters: [this.#chance.below(3), this.#pick(["", "y"]), this.#chance.below(12)],
      }),
      () => ({ sql: "update c set a = ? where a = ?", parameters: [from, range[1]] }),
    ])();
  }

  #delete(): RandomStatement {
    const from = this.#chance.below(ROWS_MAX);
    return this.#pick<() => RandomStatement>([
      () => ({
        sql: "delete from a where id between ? and ?",
        parameters: [from, from + this.#chance.below(30)],
      }),
      () => ({ sql: "delete from b where q > ?", parameters: [this.#chance.below(12)] }),
      () => ({ sql: "delete from c where id % 3 = ?", parameters: [this.#chance.below(3)] }),
      () => plain(this.#pick(["delete from log", "delete from c", "delete from b"])),
      () => ({
        sql: "delete from a where y like 'bulk%' and id % 2 = ?",
        parameters: [this.#chance.below(2)],
      }),
    ])();
  }

  #search(): RandomStatement {
    const words = () =>
      Array.from({ length: 1 + this.#chance.below(40) }, () => this.#pick(WORDS)).join(" ");
    const id = this.#chance.below(20);
    return this.#pick<() => RandomStatement>([
      () => ({
        sql: "insert or replace into f (rowid, title, body) values (?, ?, ?)",
        parameters: [id, words(), words()],
      }),
      () => ({ sql: "update f set body = ? where rowid = ?", parameters: [words(), id] }),
      () => ({ sql: "delete from f where rowid = ?", parameters: [id] }),
      () => ({
        sql: "select rowid, title from f where f match ? order by rowid",
        parameters: [this.#pick(WORDS)],
      }),
    ])();
  }

  #select(): RandomStatement {
    const from = this.#chance.below(ROWS_MAX);
    return this.#pick<() => RandomStatement>([
      () => ({
        sql: "select id, x, y, hex(z) from a where id >= ? order by id",
        parameters: [from],
      }),
      () => plain("select x, count(*), max(length(z)) from a group by x order by x"),
      () => plain("select y, id from a where y > 'b' order by y, id"),
      () => ({ sql: "select * from v where id < ? order by 1, 2, 3", parameters: [from] }),
      () => plain("select p, q, r from b order by p, q"),
      () => plain("select length(z), lower(y), id from a order by 1, 2, 3"),
      () => plain("select a.id, b.q from a join b on b.p = a.y order by 1, 2"),
    ])();
  }

  #add(names: string[], name: string): string {
    names.push(name);
    return name;
  }

  #drop(names: string[]): string {
    return this.#chance.is(0.2) || names.length === 0 ? "nowhere" : names.shift()!;
  }

  #value(): SqlParameter {
    return this.#pick<SqlParameter>([
      null,
      13,
      this.#chance.below(30),
      -1.5,
      0.1 * this.#chance.below(100),
      2n ** 63n - 1n,
      -(2n ** 63n),
      "text",
      "7",
      Uint8Array.of(1, 0, 255),
    ]);
  }

  #text(): string {
    return this.#pick([
      `key ${this.#chance.below(40)}`,
      `key ${this.#chance.below(1000)}`,
      "",
      "a\0b",
      "😀 ö",
      "long ".repeat(this.#chance.below(2000)),
    ]);
  }

  #blob(): SqlParameter {
    const length = this.#pick([0, 3, 100, 2000, this.#chance.below(20_000)]);
    const from = this.#chance.below(256);
    return this.#chance.is(0.1)
      ? null
      : Uint8Array.from({ length }, (_, i) => (from + i * 7) & 255);
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[this.#chance.below(choices.length)];
  }
}

function plain(sql: string): RandomStatement {
  return { sql, parameters: [] };
}
