import fc from "fast-check";

/** Any string, lone surrogates, U+0000 and long ones included. */
export const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) }),
  fc.constantFrom("\0", "\ud800", "__proto__", "\\N", "\\.", "a\tb\r\nc\\"),
  fc
    .tuple(fc.constantFrom("x", "🛒", "\ud83d", "ệ"), fc.integer({ min: 4090, max: 4100 }))
    .map(([unit, count]) => unit.repeat(count)),
);

/** What a JSON value may hold where this library looks for something. */
const anyField: fc.Arbitrary<unknown> = fc.oneof(
  anyText,
  fc.double(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc
    .date({ noInvalidDate: false })
    .map((date) => (Number.isNaN(+date) ? "Invalid Date" : date.toISOString())),
  fc.double().map((value) => String(value)),
  fc.uuid(),
  fc.jsonValue({ maxDepth: 3 }),
);

const fieldsOf = (keys: readonly string[]) =>
  fc.record(Object.fromEntries(keys.map((key) => [key, anyField])), { requiredKeys: [] });

const product = fc.oneof(
  {
    weight: 4,
    arbitrary: fieldsOf(["id", "product_id", "name", "brand", "brandName", "price", "discountPrice"]),
  },
  { weight: 1, arbitrary: anyField },
);

/** Something near to an event: known keys with any value, and a name more often than not. */
export const anyEvent = fc
  .tuple(
    fieldsOf([
      "eventName",
      "eventId",
      "event_id",
      "userId",
      "user_id",
      "clientId",
      "isFirstVisit",
      "sessionId",
    ]),
    fieldsOf(["event_timestamp", "eventTimestamp", "_ingest", "unknown", "__proto__", "constructor"]),
    fc.record({ product, context_product: product }, { requiredKeys: [] }),
    fc.record({ event_name: fc.constantFrom("page_view", "click") }, { requiredKeys: [] }),
    fc.record({ _ingest: fc.record({ receivedAt: anyField }) }, { requiredKeys: [] }),
  )
  .map((parts): { [key: string]: unknown } =>
    Object.fromEntries(parts.flatMap((part) => Object.entries(part))),
  );

/** Any JSON value, as JSON.parse returns it. */
export const anyJson: fc.Arbitrary<unknown> = fc
  .oneof(fc.json({ maxDepth: 6 }), fc.json({ maxDepth: 6, stringUnit: "binary" }))
  .map((text) => JSON.parse(text) as unknown);

const plainText = fc
  .string({ unit: "grapheme", maxLength: 30 })
  .filter((text) => !/["\\\p{Cc}]/u.test(text) && text.isWellFormed());
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });

/** An event as the shop's publisher writes it: its own keys, each value of its own type. */
export const plainEvent = fc.record(
  {
    eventName: fc.constantFrom("page_view", "click", "Thêm"),
    eventId: fc.oneof(
      fc.uuid(),
      plainText.filter((text) => text !== ""),
    ),
    _ingest: fc.record({
      receivedAt: fc
        .date({ min: new Date("2000-01-01"), max: new Date("2025-12-06T05:00:00Z"), noInvalidDate: true })
        .filter((date) => date.getUTCMonth() !== 1 || date.getUTCDate() !== 29)
        .map((date) => date.toISOString()),
      userAgent: fc.string(),
    }),
    pageUrl: fc.string({ unit: "grapheme" }),
    userId: maybe(plainText),
    userLoginState: maybe(plainText),
    identitySource: maybe(plainText),
    clientId: maybe(plainText),
    sessionId: maybe(plainText),
    isFirstVisit: maybe(fc.boolean()),
    product: maybe(
      fc.record(
        {
          ...{
            id: plainText,
            name: maybe(plainText),
            category: plainText,
            brand: plainText,
            urlPath: plainText,
          },
          price: maybe(fc.nat({ max: 999_999_999_999_999 })),
          discountPrice: fc
            .tuple(fc.nat({ max: 99_999_999 }), fc.integer({ min: 0, max: 6 }))
            .map(([digits, decimals]) => digits / 10 ** decimals)
            .filter((price) => price === 0 || price >= 1e-6), // JSON writes smaller ones with an exponent
          tags: fc.jsonValue({ maxDepth: 2 }),
        },
        { requiredKeys: [] },
      ),
    ),
    element: fc.jsonValue({ maxDepth: 3 }),
  },
  { requiredKeys: ["eventName", "eventId", "_ingest"] },
);
