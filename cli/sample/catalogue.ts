/** A product as the shop's pages tell of it; prices in whole dong. */
export interface Product {
  readonly id: string;
  readonly name: string;
  readonly category: string;
  readonly brand: string;
  readonly price: number;
  readonly discountPrice?: number;
  readonly urlPath: string;
}

/** Category, noun of its names, price range in thousands of dong, and models by brand. */
interface Shelf {
  readonly category: string;
  readonly noun: string;
  readonly from: number;
  readonly to: number;
  readonly models: Readonly<Record<string, readonly string[]>>;
}

const SHELVES: readonly Shelf[] = [
  {
    category: "Laptop",
    noun: "Laptop",
    from: 11_990,
    to: 42_990,
    models: {
      Acer: ["Nitro V 15", "Aspire 5", "Swift Go 14", "Predator Helios Neo"],
      ASUS: ["Vivobook 15", "Zenbook 14 OLED", "TUF Gaming A15", "ROG Strix G16"],
      Dell: ["Inspiron 15", "Vostro 3430", "XPS 13"],
      HP: ["Pavilion 14", "Victus 16", "Envy x360"],
      Lenovo: ["IdeaPad Slim 5", "ThinkPad E14", "LOQ 15"],
    },
  },
  {
    category: "Điện thoại",
    noun: "Điện thoại",
    from: 2_490,
    to: 33_990,
    models: {
      Apple: ["iPhone 15", "iPhone 16", "iPhone 16 Pro Max"],
      Samsung: ["Galaxy A56", "Galaxy S25", "Galaxy S25 Ultra", "Galaxy Z Flip7"],
      Xiaomi: ["Redmi Note 14", "Xiaomi 15T", "POCO X7"],
      OPPO: ["Reno14", "A6 Pro", "Find X8"],
      vivo: ["V50", "Y29"],
    },
  },
  {
    category: "Máy tính bảng",
    noun: "Máy tính bảng",
    from: 3_990,
    to: 27_990,
    models: {
      Apple: ["iPad A16", "iPad Air M3", "iPad mini"],
      Samsung: ["Galaxy Tab A11", "Galaxy Tab S10"],
      Xiaomi: ["Pad 7", "Redmi Pad 2"],
      Lenovo: ["Idea Tab"],
    },
  },
  {
    category: "Tai nghe",
    noun: "Tai nghe không dây",
    from: 390,
    to: 8_490,
    models: {
      Sony: ["WF-C700N", "WH-1000XM5", "LinkBuds S"],
      JBL: ["Tune 520BT", "Live Pro 2", "Wave Beam"],
      Apple: ["AirPods 4", "AirPods Pro 2"],
      Soundpeats: ["Air5", "Capsule3 Pro"],
      Marshall: ["Minor IV"],
    },
  },
  {
    category: "Đồng hồ thông minh",
    noun: "Đồng hồ thông minh",
    from: 790,
    to: 15_990,
    models: {
      Apple: ["Watch SE", "Watch Series 10"],
      Samsung: ["Galaxy Watch8", "Galaxy Fit3"],
      Garmin: ["Forerunner 165", "Venu 3"],
      Amazfit: ["Bip 6", "Balance 2"],
      Huawei: ["Watch Fit 4"],
    },
  },
  {
    category: "Bàn phím & Chuột",
    noun: "Bàn phím cơ",
    from: 490,
    to: 4_290,
    models: {
      Logitech: ["G Pro X", "MX Mechanical", "K845"],
      AKKO: ["3098B", "MOD 007", "5075S"],
      Keychron: ["K2 Pro", "V6 Max"],
      DareU: ["EK87", "EK75 Pro"],
      Razer: ["BlackWidow V4"],
    },
  },
  {
    category: "Màn hình",
    noun: "Màn hình",
    from: 2_190,
    to: 18_990,
    models: {
      LG: ["UltraGear 27GS60F", "27UP850N", "24MR400"],
      Samsung: ["Odyssey G5", "ViewFinity S8"],
      Dell: ["P2425H", "U2724D"],
      ViewSonic: ["VA2432", "VX2728J"],
      AOC: ["24G4", "Q27G4X"],
    },
  },
  {
    category: "Gia dụng",
    noun: "Nồi chiên không dầu",
    from: 890,
    to: 5_490,
    models: {
      Philips: ["Essential 4,1 lít", "XL 6,2 lít"],
      Sunhouse: ["SHD4086 6 lít", "Mama 8 lít"],
      Kangaroo: ["KG8AF1 5 lít"],
      "Lock&Lock": ["EJF357 5,2 lít"],
    },
  },
  {
    category: "Gia dụng",
    noun: "Máy lọc không khí",
    from: 1_990,
    to: 12_990,
    models: {
      Xiaomi: ["Smart Air Purifier 4 Lite", "Smart Air Purifier 4 Pro"],
      Sharp: ["FP-J30E", "KC-G40EV"],
      Coway: ["Cartridge", "Storm"],
      Daikin: ["MC30YVM7"],
    },
  },
  {
    category: "Phụ kiện",
    noun: "Sạc dự phòng",
    from: 290,
    to: 1_890,
    models: {
      Anker: ["Zolo 10.000 mAh", "Nano 5.000 mAh", "Prime 20.000 mAh"],
      Baseus: ["Bipow 20.000 mAh", "Magnetic 6.000 mAh"],
      Xiaomi: ["Redmi 20.000 mAh"],
      Ugreen: ["Nexode 12.000 mAh"],
    },
  },
  {
    category: "Phụ kiện",
    noun: "Ba lô chống sốc",
    from: 350,
    to: 1_690,
    models: {
      Tomtoc: ["Navigator T71", "Slash A63"],
      Targus: ["Cypress 15,6 inch"],
      Mikkor: ["The Willis", "The Kalino"],
      SimpleCarry: ["Issac 4", "Sling Big"],
    },
  },
  {
    category: "Loa",
    noun: "Loa Bluetooth",
    from: 490,
    to: 9_990,
    models: {
      JBL: ["Go 4", "Flip 7", "Charge 6"],
      Sony: ["ULT Field 1", "ULT Field 3"],
      Marshall: ["Emberton III", "Willen II"],
      Harman: ["Onyx Studio 9"],
      LG: ["xboom Grab", "xboom Bounce"],
      Edifier: ["MP230"],
    },
  },
];

/** The same 120 products, whatever the seed. */
export const CATALOGUE: readonly [Product, ...Product[]] = build() as [Product, ...Product[]];

export const CATEGORIES = [...new Set(CATALOGUE.map(({ category }) => category))] as [string, ...string[]];

const BY_CATEGORY = new Map(
  CATEGORIES.map((category) => [category, CATALOGUE.filter((product) => product.category === category)]),
);

export function productsOf(category: string): readonly [Product, ...Product[]] {
  const [first = CATALOGUE[0], ...others] = BY_CATEGORY.get(category) ?? CATALOGUE;
  return [first, ...others];
}

/** `Điện thoại` becomes `dien-thoai`, as in the shop's addresses. */
export function slug(text: string): string {
  const plain = text.normalize("NFD").replace(/\p{M}/gu, "").replace(/đ/g, "d").replace(/Đ/g, "D");
  return plain
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}

function build(): Product[] {
  const products: Product[] = [];
  for (const { models, ...shelf } of SHELVES) {
    for (const [brand, names] of Object.entries(models)) {
      for (const model of names) products.push(product(shelf, brand, model, products.length));
    }
  }
  return products;
}

function product(shelf: Omit<Shelf, "models">, brand: string, model: string, index: number): Product {
  const name = `${shelf.noun} ${brand} ${model}`;
  // Spread over the range by a fixed stride, and ending in 90.000 or 99.000 as prices do.
  const position = ((index * 37) % 101) / 100;
  const thousands = shelf.from + Math.round(((shelf.to - shelf.from) * position ** 2) / 100) * 100;
  const price = thousands * 1000;
  const isReduced = index % 3 === 0;
  return {
    id: `sku-${1001 + index}`,
    name,
    category: shelf.category,
    brand,
    price,
    ...(isReduced
      ? { discountPrice: Math.round((price * (0.95 - (index % 5) * 0.05)) / 10_000) * 10_000 }
      : {}),
    urlPath: `/product/${slug(name)}`,
  };
}
