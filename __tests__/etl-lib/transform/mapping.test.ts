import { expect } from "chai";
import { EVENT_COLUMNS, type EventColumn } from "../../../etl-lib/src/types.js";
import { mapped } from "../../../testing/etl-lib/transform.js";

/** The table of docs/input-contract.md: column, where its sources lie, the sources in their order. */
const TEXT: readonly [column: EventColumn, within: "event" | "product", sources: readonly string[]][] = [
  ["event_name", "event", ["eventName", "event_name"]],
  ["user_id", "event", ["userId", "user_id"]],
  ["user_login_state", "event", ["userLoginState", "user_login_state"]],
  ["identity_source", "event", ["identitySource", "identity_source"]],
  ["client_id", "event", ["clientId", "client_id"]],
  ["session_id", "event", ["sessionId", "session_id"]],
  ["context_product_id", "product", ["id", "product_id"]],
  ["context_product_name", "product", ["name", "product_name"]],
  ["context_product_category", "product", ["category", "product_category"]],
  ["context_product_brand", "product", ["brand", "brandName", "product_brand"]],
  ["context_product_url_path", "product", ["urlPath", "product_url_path"]],
];
const BOOLEAN = ["isFirstVisit", "is_first_visit"];
const NUMERIC: readonly [column: EventColumn, sources: readonly string[]][] = [
  ["context_product_price", ["price", "product_price"]],
  ["context_product_discount_price", ["discountPrice", "product_discount_price"]],
];

type Fields = { [key: string]: unknown };
const NAMED = { event_name: "page_view" };

const eventWith = (within: "event" | "product", fields: Fields): Fields =>
  within === "event" ? { ...NAMED, ...fields } : { ...NAMED, product: fields };

const rowWith = (within: "event" | "product", fields: Fields) => mapped(eventWith(within, fields)).row;

describe("the mapping to the 16 columns", () => {
  it("has the table's columns, in their order", () => {
    expect(Object.keys(mapped(NAMED).row)).to.deep.equal([...EVENT_COLUMNS]);
    expect(EVENT_COLUMNS).to.have.length(16);
  });

  for (const [column, within, sources] of TEXT) {
    describe(column, () => {
      sources.forEach((source, place) => {
        it(`is ${source} of the ${within}, as it is`, () => {
          const text = "Áo thun “Việt” 🛒 \t\\N";
          expect(rowWith(within, { [source]: text })[column]).to.equal(text);
        });
        it(`is ${source} before ${sources.slice(place + 1).join(", ") || "nothing"}`, () => {
          const fields = Object.fromEntries(sources.slice(place).map((key) => [key, `of ${key}`]));
          expect(rowWith(within, fields)[column]).to.equal(`of ${source}`);
        });
        it(`passes over ${source} when it is null, an object or an array`, () => {
          const next = sources[place + 1];
          for (const unusable of [null, { a: 1 }, ["x"]]) {
            const fields = { [source]: unusable, ...(next && { [next]: "next" }) };
            if (column === "event_name" && !next) continue; // then the event is rejected
            expect(rowWith(within, fields)[column]).to.equal(next ? "next" : null);
          }
        });
      });
      if (column !== "event_name")
        it("is NULL, without a warning, when every source is absent or null", () => {
          const nulls = Object.fromEntries(sources.map((source) => [source, null]));
          for (const fields of [{}, nulls]) {
            const { row, warnings } = mapped(eventWith(within, fields));
            expect(row[column]).to.equal(null);
            expect(warnings).to.deep.equal({});
          }
        });
    });
  }

  describe("is_first_visit", () => {
    for (const [given, expected] of [
      [true, true],
      [false, false],
      ["true", true],
      ["false", false],
    ] as const)
      for (const source of BOOLEAN)
        it(`is ${expected} for ${source} ${JSON.stringify(given)}`, () => {
          const { row, warnings } = mapped({ ...NAMED, [source]: given });
          expect(row.is_first_visit).to.equal(expected);
          expect(warnings).to.deep.equal({});
        });
    it("takes isFirstVisit before is_first_visit, false included", () => {
      expect(mapped({ ...NAMED, isFirstVisit: false, is_first_visit: true }).row.is_first_visit).to.equal(
        false,
      );
    });
    it("passes over what is null or neither true nor false", () => {
      for (const unusable of [null, 7, "yes", "TRUE", {}, []])
        expect(
          mapped({ ...NAMED, isFirstVisit: unusable, is_first_visit: true }).row.is_first_visit,
        ).to.equal(true);
    });
    it("is NULL when absent", () => expect(mapped(NAMED).row.is_first_visit).to.equal(null));
  });

  for (const [column, sources] of NUMERIC) {
    const price = (value: unknown) => rowWith("product", { [sources[0] as string]: value })[column];

    describe(column, () => {
      it(`is the first of ${sources.join(", ")}`, () => {
        const both = Object.fromEntries(sources.map((source, place) => [source, 100 + place]));
        expect(rowWith("product", both)[column]).to.equal("100");
        expect(rowWith("product", { [sources[1] as string]: 5 })[column]).to.equal("5");
        expect(rowWith("product", { ...both, [sources[0] as string]: null })[column]).to.equal("101");
        expect(rowWith("product", { ...both, [sources[0] as string]: "abc" })[column]).to.equal("101");
      });
      for (const [given, expected] of [
        [18990000, "18990000"],
        [0, "0"],
        [-1.5, "-1.5"],
        [19.99, "19.99"],
        ["17990000", "17990000"],
        [" 12.50 ", "12.50"],
        ["+3", "+3"],
        [".5", ".5"],
        ["0.1000000000000000000001", "0.1000000000000000000001"],
        ["1e3", "1000"],
      ] as const)
        it(`is ${expected} for ${JSON.stringify(given)}`, () => expect(price(given)).to.equal(expected));
      it("is NULL when absent", () => expect(rowWith("product", {})[column]).to.equal(null));
    });
  }

  describe("the product", () => {
    const [own, other] = [{ id: "own" }, { id: "other" }];
    for (const [what, event, expected] of [
      ["product", { product: own }, "own"],
      ["context_product, when there is no product", { context_product: other }, "other"],
      ["context_product, when product is null", { product: null, context_product: other }, "other"],
      ["product before context_product", { product: own, context_product: other }, "own"],
      ["product even when it is empty", { product: {}, context_product: other }, null],
    ] as const)
      it(`is ${what}`, () => {
        const { row, warnings } = mapped({ ...NAMED, ...event });
        expect(row.context_product_id).to.equal(expected);
        expect(warnings).to.deep.equal({});
      });
    it("is none, with a warning, when it is not an object", () => {
      for (const product of ["sku-1", 7, true, [own]]) {
        const { row, warnings } = mapped({ ...NAMED, product });
        expect(row.context_product_id).to.equal(null);
        expect(warnings).to.deep.equal({ context_product: { wrong_type: 1 } });
      }
    });
  });

  it("maps the document's own example, and ignores what has no column", () => {
    const { row, warnings } = mapped({
      eventName: "product_view",
      eventId: "0b0f7c9e-3d0a-4f57-8b2e-5a4e0c1d2f3a",
      pageUrl: "https://shop.example/product/x",
      referrer: null,
      userId: null,
      userLoginState: "anonymous",
      clientId: "c-1",
      sessionId: "s-1",
      isFirstVisit: true,
      product: {
        id: "sku-1",
        name: "Laptop Acer Nitro V",
        category: "Laptop",
        brand: "Acer",
        price: 18990000,
        discountPrice: 17990000,
        urlPath: "/product/x",
      },
      element: { tag: "button", id: "buy", role: null, text: "Thêm vào giỏ hàng", dataset: { k: "v" } },
      _ingest: { receivedAt: "2025-12-06T05:00:00.000Z", sourceIp: "203.0.113.9" },
    });
    expect(row).to.deep.equal({
      event_id: "0b0f7c9e-3d0a-4f57-8b2e-5a4e0c1d2f3a",
      event_timestamp: new Date("2025-12-06T05:00:00.000Z"),
      event_name: "product_view",
      user_id: null,
      user_login_state: "anonymous",
      identity_source: null,
      client_id: "c-1",
      session_id: "s-1",
      is_first_visit: true,
      context_product_id: "sku-1",
      context_product_name: "Laptop Acer Nitro V",
      context_product_category: "Laptop",
      context_product_brand: "Acer",
      context_product_price: "18990000",
      context_product_discount_price: "17990000",
      context_product_url_path: "/product/x",
    });
    expect(warnings).to.deep.equal({});
  });

  it("lets every event name and login state pass: the lists are open", () => {
    const { row } = mapped({ eventName: "brand_new_event", userLoginState: "half_logged_in" });
    expect(row.event_name).to.equal("brand_new_event");
    expect(row.user_login_state).to.equal("half_logged_in");
  });

  describe("hostile keys", () => {
    const parse = (json: string) => mapped(JSON.parse(json) as unknown).row;
    it("takes nothing from a __proto__ that an event brings", () => {
      const row = parse(
        '{"eventName":"x","__proto__":{"userId":"evil"},"product":{"__proto__":{"id":"evil"}}}',
      );
      expect(row.user_id).to.equal(null);
      expect(row.context_product_id).to.equal(null);
      expect(({} as Fields).userId).to.equal(undefined);
    });
    it("treats constructor, toString and hasOwnProperty as any other key", () => {
      const row = parse('{"eventName":"x","constructor":1,"toString":2,"hasOwnProperty":3,"valueOf":null}');
      expect(row.event_name).to.equal("x");
    });
    it("keeps such words as values", () => {
      expect(parse('{"eventName":"__proto__","userId":"constructor"}')).to.include({
        event_name: "__proto__",
        user_id: "constructor",
      });
    });
  });
});
