import { readFileSync } from "node:fs";
import { expect } from "chai";
import {
  DICTIONARY,
  dataDictionary,
  describeRelations,
  type Relation,
} from "../../testing/data-dictionary.js";
import { startPostgres, type TestDatabase } from "../../testing/postgres.js";

describe("integration: the data dictionary", () => {
  let db: TestDatabase;
  let relations: Relation[];
  before(async () => {
    db = await (await startPostgres()).createWarehouse();
    relations = await describeRelations(db.pool);
  });
  after(() => db.drop());

  it("finds every table and view that people are told of", () => {
    expect(relations.map(({ schema, name }) => `${schema}.${name}`))
      .to.include.members([
        "public.clickstream_events",
        "public.clickstream_event_details",
        "analytics.events",
        "dw.contract_drift",
        "etl.lake_days",
        "etl.migrations",
      ])
      .and.to.have.length.at.least(35);
  });

  it("finds a comment on every table, view and column", () => {
    const silent = relations.flatMap(({ schema, name, description, columns }) => [
      ...(description ? [] : [`${schema}.${name}`]),
      ...columns.filter((column) => !column.description).map((column) => `${schema}.${name}.${column.name}`),
    ]);
    expect(silent).to.deep.equal([]);
  });

  it("is the page that is committed", () => {
    expect(readFileSync(DICTIONARY, "utf8"), "run `npm run dictionary`").to.equal(dataDictionary(relations));
  });
});
