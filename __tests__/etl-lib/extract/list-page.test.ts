import { expect } from "chai";
import fc from "fast-check";
import { parseListPage } from "../../../etl-lib/src/extract/list-page.js";
import { listObjectsV2 } from "../../../testing/s3/listing.js";
import { ObjectStore } from "../../../testing/s3/store.js";

const page = (content: string) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${content}</ListBucketResult>\n`;

describe("parseListPage", () => {
  it("reads what S3 answers", () => {
    const answer =
      page(`<Name>raw</Name><Prefix>events%2F</Prefix><NextContinuationToken>1&amp;ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=</NextContinuationToken>
      <KeyCount>2</KeyCount><IsTruncated>true</IsTruncated><Contents><Key>events/2025/12/06/05/s%E1%BB%B1+ki%E1%BB%87n%2B%26%3C.json</Key>
      <LastModified>2025-12-06T05:01:02.000Z</LastModified><ETag>&quot;70ee1738b6b21e2c8a43f3a5ab0eee71-2&quot;</ETag><Size>42</Size>
      <Owner><ID>x</ID></Owner><StorageClass>STANDARD</StorageClass></Contents><CommonPrefixes><Prefix>events/2025/12/06/06/</Prefix></CommonPrefixes>`);
    expect(parseListPage(answer, "raw")).to.deep.equal({
      objects: [
        {
          bucket: "raw",
          key: "events/2025/12/06/05/sự kiện+&<.json",
          etag: "70ee1738b6b21e2c8a43f3a5ab0eee71-2",
          size: 42,
          lastModified: new Date("2025-12-06T05:01:02.000Z"),
        },
      ],
      folders: ["events/2025/12/06/06/"],
      next: "1&ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=",
    });
  });

  it("reads an empty page, which is the last", () => {
    const answer = page("<IsTruncated>false</IsTruncated><KeyCount>0</KeyCount>");
    expect(parseListPage(answer, "raw")).to.deep.equal({ objects: [], folders: [], next: undefined });
  });

  for (const [what, text] of [
    ["a page that is cut off", page("<Contents><Key>events/1</Key>").slice(0, -25)],
    ["another answer", "<html><body>proxy</body></html>"],
    ["nothing", ""],
  ] as const)
    it(`takes ${what} for no listing`, () => {
      expect(() => parseListPage(text, "raw")).to.throw("cut off");
    });

  it("finds any key again", () => {
    const keys = fc.uniqueArray(
      fc.string({ unit: "binary", minLength: 1, maxLength: 30 }).map((name) => name.toWellFormed()),
      {
        maxLength: 20,
      },
    );
    fc.assert(
      fc.property(keys, (names) => {
        const store = new ObjectStore("raw");
        for (const name of names) store.put(name, "1");
        const query = new URLSearchParams({ "encoding-type": "url", "list-type": "2" });
        const listed = parseListPage(listObjectsV2(store, query), "raw");
        expect(listed.objects.map(({ key }) => key).sort()).to.deep.equal([...names].sort());
      }),
    );
  });
});
