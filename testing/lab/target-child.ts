import { openTarget } from "../../cli/shared/target.js";

/** A command for the tests: opens the target of the folder it is given, says so, and closes it when stdin ends. */
const [root = "", composePort = ""] = process.argv.slice(2);
const compose = {
  host: "127.0.0.1",
  port: Number(composePort),
  user: "nobody",
  password: "none",
  database: "none",
  ssl: "disable",
  ca: null,
} as const;
const target = await openTarget({ env: {}, root, compose });
await target.pool.query("CREATE TABLE IF NOT EXISTS visits (pid int)").catch(() => {}); // two may race for it
await target.pool.query("INSERT INTO visits VALUES ($1)", [process.pid]);
console.log(JSON.stringify({ port: target.connection.port, password: target.connection.password }));
process.stdin.once("end", () => void target.close()).resume();
