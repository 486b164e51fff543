import { constants, crc32, deflateRawSync } from "node:zlib";
import { expect } from "chai";
import { answered, backfill, freshDay, sample } from "../../testing/e2e/sample.js";
import type { World } from "../../testing/e2e/world.js";
import { expectIdentity } from "../../testing/lab/identity.js";

const MIB = 1024 * 1024;

export function describePoison(world: () => World): void {
  describe("poisoned objects among good ones", () => {
    it("10 MB of nesting, a gzip bomb of 1 GB, a line of 200 MB: quarantined, the good ones load", async () => {
      const day = freshDay();
      const prefix = `events/${day.replaceAll("-", "/")}`;
      const good = sample({
        events: 300,
        layout: "object",
        dirty: 0.1,
        seed: day,
        from: new Date(day),
        days: 1,
      });
      const line = JSON.stringify({ eventName: "page_view", eventId: "beside the long line" });
      await world().put([
        ...good.objects,
        { key: `${prefix}/nested.json`, body: nested(10 * MIB) },
        { key: `${prefix}/bomb.json.gz`, body: bomb(64) },
        {
          key: `${prefix}/line.ndjson`,
          body: Buffer.concat([Buffer.from(`${line}\n`), longLine(200 * MIB)]),
        },
      ]);
      const etl = await world().startFunction();
      const { events, error } = answered(await etl.invoke(backfill(day)));
      expect(error).to.equal(null);
      const { read, inserted, rejected } = good.expected;
      expect(events).to.deep.equal({
        ...good.expected,
        read: read + 4,
        inserted: inserted + 1,
        rejected: rejected + 3,
      });
      const { rows } = await world().warehouse.db.query(
        "SELECT replace(key, $1, '') AS name, cause FROM etl.rejects WHERE key ~ 'nested|bomb|line' ORDER BY 1",
        [`${prefix}/`],
      );
      expect(rows).to.deep.equal([
        { name: "bomb.json.gz", cause: "too_large" },
        { name: "line.ndjson", cause: "too_large" },
        { name: "nested.json", cause: "too_deep" },
      ]);
      const { MemorySize = 0 } = world().configuration;
      console.log(`      the function had ${etl.peakMb} MiB of its ${MemorySize} at most`);
      expect(etl.peakMb).to.be.within(1, MemorySize);
      await expectIdentity(world().warehouse.db);
      await etl.stop();
    });
  });
}

function nested(bytes: number): string {
  const levels = bytes / 2;
  return `{"eventName":"click","element":${"[".repeat(levels)}${"]".repeat(levels)}}`;
}

function longLine(bytes: number): Buffer {
  const line = Buffer.alloc(bytes, "x");
  line.write('{"eventName":"click","note":"');
  line.write('"}\n', bytes - 3);
  return line;
}

/** One valid gzip member of `blocks` times 16 MiB and a little, made without deflating a gigabyte. */
function bomb(blocks: number): Buffer {
  const head = Buffer.from('{"eventName":"click","note":"');
  const block = Buffer.alloc(16 * MIB, "a");
  const tail = Buffer.from('"}');
  const open = { finishFlush: constants.Z_FULL_FLUSH }; // what follows does not refer to what stands before
  const repeated = Array.from<Buffer>({ length: blocks }).fill(deflateRawSync(block, open));
  let sum = crc32(head);
  for (let n = 0; n < blocks; n++) sum = crc32(block, sum);
  const end = Buffer.alloc(8);
  end.writeUInt32LE(crc32(tail, sum));
  end.writeUInt32LE((head.length + blocks * block.length + tail.length) % 2 ** 32, 4);
  const header = Buffer.from("1f8b0800000000000003", "hex");
  return Buffer.concat([header, deflateRawSync(head, open), ...repeated, deflateRawSync(tail), end]);
}
