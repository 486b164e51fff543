import { createHash } from "node:crypto";

const NAMES = [
  "page_view",
  "home_view",
  "category_view",
  "product_view",
  "add_to_cart_click",
  "checkout_start",
];
const PRODUCTS = [
  "Laptop Acer Nitro V",
  "Điện thoại Samsung Galaxy A55",
  "Tai nghe không dây",
  "Bàn phím cơ Keychron K2",
];

const uuid = (seed: string): string => {
  const hex = createHash("md5").update(seed).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
};

/** The `index`-th event of a benchmark as compact JSON, about 850 bytes, the same in every run and process. */
export function eventJson(index: number): string {
  const visit = Math.floor(index / 12);
  const product = index % PRODUCTS.length;
  return JSON.stringify({
    eventName: NAMES[index % NAMES.length],
    eventId: uuid(`event ${index}`),
    pageUrl: `https://shop.example/product/${product}`,
    referrer: null,
    userId: visit % 4 === 0 ? `user-${visit % 50_000}` : null,
    userLoginState: visit % 4 === 0 ? "logged_in" : "anonymous",
    clientId: uuid(`client ${visit % 100_000}`),
    sessionId: uuid(`session ${visit}`),
    isFirstVisit: visit % 3 === 0,
    product: {
      id: `sku-${product}`,
      name: PRODUCTS[product],
      category: "Điện tử",
      brand: "Acer",
      price: 18_990_000,
      discountPrice: 17_990_000,
      urlPath: `/product/${product}`,
    },
    element: { tag: "button", id: "buy", role: null, text: "Thêm vào giỏ hàng", dataset: { k: "v" } },
    _ingest: {
      receivedAt: new Date(Date.UTC(2026, 10, 19) + index * 80).toISOString(),
      sourceIp: "203.0.113.9",
      userAgent:
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36",
      method: "POST",
      path: "/clickstream",
      requestId: "Z1x2y3z4AAAEJ0g=",
      apiId: "a1b2c3d4e5",
      stage: "$default",
      traceId: "Root=1-67528f00-5f3c2a1b0d9e8f7a6b5c4d3e",
    },
  });
}
