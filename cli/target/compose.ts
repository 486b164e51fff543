import { setTimeout as sleep } from "node:timers/promises";
import { type Connection, errorCode, queryOnce } from "./connection.js";

/** The server of docker-compose.yml; a test compares the two. */
export const COMPOSE: Connection = {
  host: "localhost",
  port: 5432,
  user: "clickstream",
  password: "clickstream",
  database: "clickstream_dw",
  ssl: "disable",
  ca: null,
};

const PROBE_MS = 2_000;
const STARTUP_MS = 15_000;
const STARTING_UP = "57P03";

/** Whether the server is up and takes these credentials. One that is just starting is waited for. */
export async function answers(connection: Connection): Promise<boolean> {
  const deadline = Date.now() + STARTUP_MS;
  for (;;) {
    try {
      await queryOnce(connection, "SELECT 1", PROBE_MS);
      return true;
    } catch (error) {
      if (errorCode(error) !== STARTING_UP || Date.now() > deadline) return false;
      await sleep(250);
    }
  }
}
