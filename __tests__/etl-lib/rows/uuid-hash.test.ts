import { randomUUID } from "node:crypto";
import { expect } from "chai";
import { uuidHash } from "../../../etl-lib/src/rows/uuid-hash.js";
import { startPostgres } from "../../../testing/postgres.js";

it("uuidHash is the hash that PostgreSQL has of an id", async () => {
  const db = await (await startPostgres()).createDatabase();
  const ids = Array.from({ length: 200 }, () => randomUUID() as string).concat(
    "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
  );
  const { rows } = await db.pool.query(
    "SELECT uuid_hash(id) AS hash FROM unnest($1::uuid[]) WITH ORDINALITY AS t (id, n) ORDER BY n",
    [ids],
  );
  const bytes = (id: string) => Buffer.from(id.replaceAll("-", ""), "hex");
  expect(ids.map((id) => uuidHash(bytes(id)))).to.deep.equal(rows.map(({ hash }) => hash));
});
