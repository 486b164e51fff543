/** What the library needs of `pg`: the caller makes the pool, for it knows the address, the secret and the TLS mode. */
export interface Queryable {
  // biome-ignore lint/suspicious/noExplicitAny: the rows of a query are what its SQL says
  query<Row = any>(text: string, values?: unknown[]): Promise<{ rows: Row[]; rowCount: number | null }>;
}

/** One connection, as `pg.PoolClient`. */
export interface WarehouseClient extends Queryable {
  /** @param broken closes the connection instead of keeping it */
  release(broken?: Error | boolean): void;
  on?(event: "error", listener: () => void): unknown;
  off?(event: "error", listener: () => void): unknown;
}

/** As `pg.Pool`. */
export interface WarehousePool extends Queryable {
  connect(): Promise<WarehouseClient>;
}

const ignore = (): void => {};

/** One connection of the pool. When it is lost between two queries, the next one fails. */
export async function checkOut(pool: WarehousePool): Promise<WarehouseClient> {
  const client = await pool.connect();
  client.off?.("error", ignore);
  client.on?.("error", ignore); // while a connection is lent the pool does not listen, and unheard the event ends the process
  return client;
}

/** Runs `work` in one transaction: all of it or, on any error, nothing. */
export async function inTransaction<T>(
  pool: WarehousePool,
  work: (client: WarehouseClient) => Promise<T>,
): Promise<T> {
  const client = await checkOut(pool);
  try {
    await client.query("BEGIN");
    const result = await work(client);
    await client.query("COMMIT");
    client.release();
    return result;
  } catch (error) {
    // A broken connection takes its transaction with it; a live one is closed all the same, it is seldom.
    client.release(true);
    throw error;
  }
}
