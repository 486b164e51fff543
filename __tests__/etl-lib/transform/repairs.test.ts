import { expect } from "chai";
import { RepairLog } from "../../../etl-lib/src/transform/repair.js";
import type { EventColumn } from "../../../etl-lib/src/types.js";
import { mapped } from "../../../testing/etl-lib/transform.js";

type Case = readonly [what: string, given: unknown, expected: unknown, warning: object | undefined];

const CART = "🛒";
const LIMIT = 4096;

const TEXT_REPAIRS: readonly Case[] = [
  ["keeps empty text", "", "", undefined],
  ["removes U+0000", "a\0b\0", "ab", { nul_removed: 1 }],
  ["makes a lone high surrogate U+FFFD", "a\ud83d", "a\ufffd", { surrogate_replaced: 1 }],
  ["makes a lone low surrogate U+FFFD", "\ude00b", "\ufffdb", { surrogate_replaced: 1 }],
  ["keeps a surrogate pair", CART, CART, undefined],
  ["keeps other control characters", "\u0001\u001f\u007f\u0085", "\u0001\u001f\u007f\u0085", undefined],
  ["keeps 4,096 characters", "á".repeat(LIMIT), "á".repeat(LIMIT), undefined],
  ["cuts 4,097 characters to 4,096", "á".repeat(LIMIT + 1), "á".repeat(LIMIT), { cut: 1 }],
  ["counts a pair as one character", CART.repeat(LIMIT), CART.repeat(LIMIT), undefined],
  ["cuts between pairs", CART.repeat(LIMIT + 1), CART.repeat(LIMIT), { cut: 1 }],
  [
    "keeps a pair whole that is the 4,096th",
    `${"a".repeat(LIMIT - 1)}${CART}`,
    `${"a".repeat(LIMIT - 1)}${CART}`,
    undefined,
  ],
  ["drops a pair whole that is the 4,097th", `${"a".repeat(LIMIT)}${CART}`, "a".repeat(LIMIT), { cut: 1 }],
  ["measures after U+0000 is gone", `${"a".repeat(LIMIT)}\0`, "a".repeat(LIMIT), { nul_removed: 1 }],
  [
    "counts every repair of one text",
    `\0\ud800${"a".repeat(LIMIT)}`,
    `\ufffd${"a".repeat(LIMIT - 1)}`,
    { nul_removed: 1, surrogate_replaced: 1, cut: 1 },
  ],
  ["makes a number its text", 42, "42", { converted_to_text: 1 }],
  ["makes a fraction its text", -0.5, "-0.5", { converted_to_text: 1 }],
  ["makes a boolean its text", false, "false", { converted_to_text: 1 }],
  ["makes an object NULL", { a: 1 }, null, { wrong_type: 1 }],
  ["makes an array NULL", ["a"], null, { wrong_type: 1 }],
];

const NOT_A_BOOLEAN: readonly Case[] = [7, 0, 1, "", "yes", "True", {}, []].map((given) => [
  `makes ${JSON.stringify(given)} NULL`,
  given,
  null,
  { wrong_type: 1 },
]);

const NOT_A_NUMBER: readonly Case[] = [
  "abc",
  "",
  " ",
  "1,000",
  "1_000",
  "12 ₫",
  "0x10",
  "NaN",
  "Infinity",
  "-",
  ".",
  "1e999999",
  "１２",
  Number.POSITIVE_INFINITY, // JSON.parse makes it of 1e400
  true,
  {},
  [1],
].map((given) => [`makes ${JSON.stringify(given)} NULL`, given, null, { wrong_type: 1 }]);

const COLUMNS: readonly [column: EventColumn, event: (value: unknown) => object, cases: readonly Case[]][] = [
  ["user_id", (userId) => ({ userId }), TEXT_REPAIRS],
  ["user_login_state", (userLoginState) => ({ userLoginState }), TEXT_REPAIRS],
  ["identity_source", (identitySource) => ({ identitySource }), TEXT_REPAIRS],
  ["client_id", (clientId) => ({ clientId }), TEXT_REPAIRS],
  ["session_id", (sessionId) => ({ sessionId }), TEXT_REPAIRS],
  ["is_first_visit", (isFirstVisit) => ({ isFirstVisit }), NOT_A_BOOLEAN],
  ["context_product_id", (id) => ({ product: { id } }), TEXT_REPAIRS],
  ["context_product_name", (name) => ({ product: { name } }), TEXT_REPAIRS],
  ["context_product_category", (category) => ({ product: { category } }), TEXT_REPAIRS],
  ["context_product_brand", (brand) => ({ product: { brand } }), TEXT_REPAIRS],
  ["context_product_price", (price) => ({ product: { price } }), NOT_A_NUMBER],
  ["context_product_discount_price", (discountPrice) => ({ product: { discountPrice } }), NOT_A_NUMBER],
  ["context_product_url_path", (urlPath) => ({ product: { urlPath } }), TEXT_REPAIRS],
];

describe("what is repaired, and counted by column and cause", () => {
  for (const [column, event, cases] of COLUMNS)
    describe(column, () => {
      for (const [what, given, expected, warning] of cases)
        it(what, () => {
          const { row, warnings } = mapped({ eventName: "x", ...event(given) });
          expect(row[column]).to.equal(expected);
          expect(warnings).to.deep.equal(warning ? { [column]: warning } : {});
        });
    });

  describe("event_name", () => {
    for (const [what, given, expected, warning] of TEXT_REPAIRS) {
      if (typeof given !== "string" || given === "") continue; // those are rejected
      it(what, () => {
        const { row, warnings } = mapped({ eventName: given });
        expect(row.event_name).to.equal(expected);
        expect(warnings).to.deep.equal(warning ? { event_name: warning } : {});
      });
    }
  });

  it("warns of each column of an event", () => {
    const { warnings } = mapped({ eventName: "x", userId: 1, sessionId: "\0", product: { price: "abc" } });
    expect(warnings).to.deep.equal({
      user_id: { converted_to_text: 1 },
      session_id: { nul_removed: 1 },
      context_product_price: { wrong_type: 1 },
    });
  });

  it("does not warn of a source that a later one makes up for", () => {
    expect(mapped({ eventName: "x", userId: {}, user_id: "u" }).warnings).to.deep.equal({});
  });

  it("adds the counts of several events up", () => {
    const sum = new RepairLog();
    sum.merge({ user_id: { cut: 2 } });
    sum.merge({ user_id: { cut: 1, nul_removed: 1 }, client_id: { wrong_type: 4 } });
    expect(sum.warnings).to.deep.equal({ user_id: { cut: 3, nul_removed: 1 }, client_id: { wrong_type: 4 } });
  });
});
