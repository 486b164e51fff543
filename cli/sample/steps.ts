import { CATALOGUE, CATEGORIES, type Product, productsOf, slug } from "./catalogue.js";
import type { Random } from "./random.js";
import type { PageElement } from "./raw-event.js";
import type { Circumstances } from "./story.js";

type Mood = Pick<Circumstances, "eagerness" | "completes">;

/** One thing a visitor does. */
export interface Step {
  readonly name: string;
  /** The page it happens on. */
  readonly path: string;
  readonly product?: Product;
  readonly element?: PageElement;
  /** From this step on the visitor is logged in (or out). */
  readonly login?: boolean;
  /** From this step on the visitor buys without an account. */
  readonly guest?: boolean;
}

/** What decides whether and how a visitor logs in on the way. */
interface Person {
  readonly hasAccount: boolean;
  readonly isLoggedIn: boolean;
}

const INFORMATION_PAGES = ["/gioi-thieu", "/chinh-sach-bao-hanh", "/tin-tuc", "/he-thong-cua-hang"] as const;
const MAX_VIEWS = 12;

/** What a visit consists of, from the landing page to where the visitor gives up or has bought. */
export function* visitSteps(random: Random, person: Person, mood: Mood): Generator<Step> {
  const cart: Product[] = [];
  const landing = random.chance(0.28) ? random.favour(CATALOGUE) : null;
  if (landing === null) yield { name: "home_view", path: "/" };
  else yield* productSteps(random, landing, cart, mood);
  if (random.chance(landing === null ? 0.3 : 0.35)) return; // bounced
  if (random.chance(0.12)) yield { name: "page_view", path: random.pick(INFORMATION_PAGES) };
  yield* browse(random, cart, mood);
  if (cart.length > 0) yield* buy(random, person, cart, mood);
}

/** What a crawler looks at. */
export function* botSteps(random: Random): Generator<Step> {
  yield { name: "category_view", path: categoryPath(random.pick(CATEGORIES)) };
  for (let views = random.int(3, MAX_VIEWS); views > 0; views--) {
    const product = random.pick(CATALOGUE);
    yield { name: "product_view", path: product.urlPath, product };
  }
}

function* browse(random: Random, cart: Product[], mood: Mood): Generator<Step> {
  let views = 0;
  do {
    const category = random.favour(CATEGORIES);
    yield { name: "category_view", path: categoryPath(category) };
    while (views < MAX_VIEWS && random.chance(0.68)) {
      views += 1;
      yield* productSteps(random, random.favour(productsOf(category)), cart, mood);
    }
  } while (views < MAX_VIEWS && random.chance(0.38));
}

function* productSteps(
  random: Random,
  product: Product,
  cart: Product[],
  { eagerness }: Mood,
): Generator<Step> {
  const path = product.urlPath;
  yield { name: "product_view", path, product };
  if (random.chance(0.09)) yield { name: "click", path, product, element: tab(random) };
  if (random.chance(0.06)) {
    yield { name: "wishlist_toggle", path, product, element: button("wishlist", "Yêu thích", product) };
  }
  if (random.chance(0.025))
    yield { name: "share_click", path, product, element: button("share", "Chia sẻ", product) };
  if (!random.chance(0.19 * eagerness)) return;
  yield { name: "add_to_cart_click", path, product, element: button("buy", "Thêm vào giỏ hàng", product) };
  cart.push(product);
}

function* buy(random: Random, person: Person, cart: Product[], mood: Mood): Generator<Step> {
  const removed = random.chance(0.14) ? cart.pop() : undefined;
  if (removed !== undefined) {
    const element = button("remove", "Xóa khỏi giỏ", removed);
    yield { name: "remove_from_cart_click", path: "/gio-hang", product: removed, element };
  }
  if (cart.length === 0 || !random.chance(0.52 * mood.eagerness)) return;
  // The shop's checkout page names a product only when there is but one.
  const named = cart.length === 1 && cart[0] ? { product: cart[0] } : {};
  yield { name: "checkout_start", path: "/thanh-toan", ...named };
  if (!person.isLoggedIn) yield* logIn(random, person);
  if (!random.chance(mood.completes)) return;
  yield { name: "checkout_complete", path: "/thanh-toan/hoan-tat", ...named };
  if (random.chance(0.08)) yield { name: "logout", path: "/", login: false };
}

function* logIn(random: Random, { hasAccount }: Person): Generator<Step> {
  yield { name: "login_open", path: "/dang-nhap" };
  if (hasAccount && random.chance(0.82)) yield { name: "login_success", path: "/dang-nhap", login: true };
  else yield { name: "click", path: "/thanh-toan", element: GUEST_CHECKOUT, guest: true };
}

const GUEST_CHECKOUT: PageElement = {
  tag: "a",
  id: "guest-checkout",
  role: "button",
  text: "Mua không cần tài khoản",
  dataset: {},
};

function button(id: string, text: string, product: Product): PageElement {
  return { tag: "button", id, role: null, text, dataset: { sku: product.id } };
}

function tab(random: Random): PageElement {
  const text = random.pick(["Thông số kỹ thuật", "Đánh giá", "Hỏi & đáp", "Xem thêm ảnh"]);
  return { tag: "a", id: null, role: "tab", text, dataset: { tab: slug(text) } };
}

function categoryPath(category: string): string {
  return `/category/${slug(category)}`;
}
