import type { WarehouseClient, WarehousePool } from "etl-lib";
import type pg from "pg";

/** As for a process that is killed, nothing reaches the warehouse after so many statements. */
export function dyingPool(pool: pg.Pool, after: number): WarehousePool {
  let left = after;
  const orDie = () => {
    if (left-- <= 0) throw Object.assign(new Error("killed"), { code: "42501" });
  };
  return {
    async query(text, values) {
      orDie();
      return pool.query(text, values) as never;
    },
    async connect() {
      orDie();
      const client = await pool.connect();
      const { query, release } = client;
      client.query = ((...args: Parameters<typeof query>) => {
        orDie();
        return query.apply(client, args);
      }) as typeof query;
      client.release = (broken) => {
        client.query = query;
        client.release = release;
        release.call(client, broken);
      };
      return client as never;
    },
  };
}

/** A pool whose connection does something else before it first sends the statement that begins so. */
export function pausedBefore(
  pool: pg.Pool,
  statement: string,
  meanwhile: () => Promise<void>,
): WarehousePool {
  return {
    query: pool.query.bind(pool),
    connect: async (): Promise<WarehouseClient> => {
      const client: WarehouseClient = await pool.connect();
      let isPassed = false;
      return {
        release: (broken) => client.release(broken),
        query: <Row>(text: string, values?: unknown[]) => {
          const send = () => client.query<Row>(text, values);
          if (isPassed || typeof text !== "string" || !text.trimStart().startsWith(statement)) return send();
          isPassed = true;
          return meanwhile().then(send);
        },
      };
    },
  };
}
