import { writeFileSync } from "node:fs";
import { DICTIONARY, dataDictionary, describeRelations } from "../testing/data-dictionary.js";
import { startPostgres } from "../testing/postgres.js";

// `npm run dictionary`: writes docs/data-dictionary.md from the comments of a database that is migrated for it.
const db = await (await startPostgres()).createWarehouse();
writeFileSync(DICTIONARY, dataDictionary(await describeRelations(db.pool)));
await db.drop();
console.log(DICTIONARY);
process.exit(); // the server ends with the process
