import { expect } from "chai";
import { assertSchema, migrate } from "../../../etl-lib/src/load/migrate.js";
import type { WarehousePool } from "../../../etl-lib/src/load/warehouse.js";

/** A server that answers its version and notes whatever else it is asked. */
function serverOf(version: string): WarehousePool & { readonly asked: string[] } {
  const asked: string[] = [];
  const query = async (text: string) => {
    if (/server_version/.test(text)) return { rows: [{ version }] as never[], rowCount: 1 };
    asked.push(text);
    throw new Error("asked");
  };
  return { asked, query, connect: async () => ({ query, release() {} }) };
}

describe("a server of another version", () => {
  for (const version of ["15.18 (Debian 15.18-0+deb12u1)", "9.6.24", "17.6"])
    for (const [what, work] of [
      ["migrate", migrate],
      ["a run", assertSchema],
    ] as const)
      it(`${version} is refused by ${what} before anything is asked of it`, async () => {
        const server = serverOf(version);
        const error = await Promise.resolve(work(server)).catch((refusal) => refusal);
        expect(error).to.include({ kind: "fatal", stage: "load" });
        expect(error.message).to.match(
          /^The warehouse is PostgreSQL [\d.]+.* needs 18 or newer: check DWH_HOST/,
        );
        expect(server.asked).to.deep.equal([]);
      });

  it("18 and newer are taken", async () => {
    for (const version of ["18.4", "18beta1", "19.0"]) {
      const server = serverOf(version);
      await assertSchema(server).catch(() => undefined);
      expect(server.asked).to.have.length(1);
    }
  });
});
