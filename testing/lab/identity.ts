import { expect } from "chai";
import { type EventCounts, noEvents, type Queryable, type RunSummary } from "etl-lib";

/**
 * What must hold after anything that may happen: read = inserted + duplicates + rejected + expired for every object,
 * every run and for ever; the ledger's sums, less what was pruned and erased, are what lies in the table, and of the newest versions what stands in quarantine.
 * @param summary of the run that just ended, if there is one
 */
export async function expectIdentity(db: Queryable, summary?: RunSummary): Promise<void> {
  await expectLedger(db);
  if (!summary) return;
  expectSums(summary);
  if (summary.dryRun) return;
  expect(await ledgerOf(db, summary.runId), "the ledger's share of the run").to.deep.equal(summary.events);
  const { rows } = await db.query("SELECT status, objects, events, rejects FROM etl.runs WHERE run_id = $1", [
    summary.runId,
  ]);
  const { status, objects, events, rejects } = summary;
  if (rows.length > 0) expect(rows[0], "etl.runs").to.deep.equal({ status, objects, events, rejects });
}

async function expectLedger(db: Queryable): Promise<void> {
  const { rows: broken } = await db.query(
    `SELECT * FROM etl.objects WHERE read <> inserted + duplicates + rejected + expired
       OR least(inserted, duplicates, rejected, expired, erased) < 0 OR erased > duplicates`,
  );
  expect(broken, "objects whose counts do not add up").to.deep.equal([]);
  const { rows } = await db.query(
    `SELECT (SELECT count(*)::int FROM public.clickstream_events) AS there,
       (SELECT coalesce(sum(rows), 0)::int FROM etl.loaded_hours WHERE cause IS NOT NULL) AS taken_out,
       (SELECT coalesce(sum(records), 0)::int FROM etl.rejects WHERE requeued_at IS NULL) AS standing,
       (SELECT coalesce(sum(rejected), 0)::int FROM etl.objects o WHERE NOT EXISTS (
          SELECT FROM etl.objects n WHERE n.bucket = o.bucket AND n.key = o.key AND n.last_modified > o.last_modified))
         AS rejected`,
  );
  const { there, taken_out, standing, rejected } = rows[0];
  expect((await ledgerOf(db)).inserted + taken_out, "the ledger against the table").to.equal(there);
  expect(rejected, "the ledger against quarantine").to.equal(standing);
}

/** Of one run or for ever. */
export async function ledgerOf(db: Queryable, runId: string | null = null): Promise<EventCounts> {
  const { rows } = await db.query<EventCounts>(
    `SELECT coalesce(sum(read), 0)::int AS read, coalesce(sum(inserted), 0)::int AS inserted,
       coalesce(sum(duplicates), 0)::int AS duplicates, coalesce(sum(rejected), 0)::int AS rejected,
       coalesce(sum(expired), 0)::int AS expired, coalesce(sum(erased), 0)::int AS erased
     FROM (SELECT read, inserted, duplicates, rejected, expired, erased FROM etl.objects WHERE $1::uuid IS NULL OR run_id = $1
       UNION ALL SELECT read, inserted, duplicates, 0, expired, erased FROM etl.sealed WHERE $1::uuid IS NULL) AS ledger`,
    [runId],
  );
  return rows[0] ?? noEvents();
}

function expectSums({ events, objects, rejects, status, error }: RunSummary): void {
  const { read, inserted, duplicates, rejected, expired, erased } = events;
  expect(read, "read").to.equal(inserted + duplicates + rejected + expired);
  expect(erased, "erased").to.be.at.most(duplicates);
  const causes = Object.values(rejects).reduce((sum, count) => sum + count, 0);
  expect(causes, "rejects by cause").to.equal(rejected);
  const { listed, alreadyLoaded, loaded, failed, remaining } = objects;
  expect(listed, "listed").to.equal(alreadyLoaded + loaded + failed + remaining);
  expect(Math.min(alreadyLoaded, loaded, failed, remaining), "no negative count").to.be.at.least(0);
  if (status === "failed") expect(error).not.to.equal(null);
}
