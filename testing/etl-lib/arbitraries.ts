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
    fieldsOf(["pageUrl", "page_url", "referrer", "userAgent", "clientIp", "element"]),
  )
  .map((parts): { [key: string]: unknown } =>
    Object.fromEntries(parts.flatMap((part) => Object.entries(part))),
  );

/** Any JSON value, as JSON.parse returns it. */
export const anyJson: fc.Arbitrary<unknown> = fc
  .oneof(fc.json({ maxDepth: 6 }), fc.json({ maxDepth: 6, stringUnit: "binary" }))
  .map((text) => JSON.parse(text) as unknown);

const AGENTS = [
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
  "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
  "curl/8.0",
] as const;

const plainText = fc
  .string({ unit: "grapheme", maxLength: 30 })
  .filter((text) => !/["\\\p{Cc}]/u.test(text) && text.isWellFormed());
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });

/** JSON without an escape or a number that has to be looked at. */
const plainJson = (maxDepth: number) =>
  fc.jsonValue({ maxDepth }).filter((value) => !/\\|[eE][+-]?\d{3}|ip|dd|rw/i.test(JSON.stringify(value)));
const address = fc.oneof(
  plainText,
  fc.webUrl({ withQueryParameters: true, withFragments: true }),
  fc
    .tuple(fc.domain(), fc.constantFrom("utm_source", "utm_medium", "utm_campaign"), fc.webQueryParameters())
    .map(([host, key, query]) => `https://www.${host}/?${key}=%E1%BB%87+x&${query}`),
);

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
      userAgent: fc.oneof(plainText, fc.constantFrom(...AGENTS)),
      sourceIp: fc.oneof(fc.ipV4(), fc.ipV6()),
      requestId: plainText,
    }),
    pageUrl: maybe(address),
    referrer: maybe(address),
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
          tags: plainJson(2),
        },
        { requiredKeys: [] },
      ),
    ),
    element: plainJson(3),
  },
  { requiredKeys: ["eventName", "eventId", "_ingest"] },
);
