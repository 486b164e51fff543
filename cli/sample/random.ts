/** A seeded source of chance: the same seed gives the same numbers on every machine. */
export interface Random {
  /** In [0, 1). */
  next(): number;
  /** A whole number in [min, max]. */
  int(min: number, max: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  pick<T>(items: readonly [T, ...T[]]): T;
  /** As `pick`, but the first items far more often than the last. */
  favour<T>(items: readonly [T, ...T[]]): T;
  /** Exponentially distributed: mostly short, now and then long. */
  wait(mean: number): number;
  /** Lower-case hexadecimal digits. */
  hex(digits: 8 | 16 | 24): string;
  /** Version 4. */
  uuid(): string;
}

/** @param seed any text or number; two seeds that read alike are one */
export function seededRandom(seed: string | number): Random {
  const uint32 = sfc32(...expand(`${seed}`));
  const next = () => uint32() / 2 ** 32;
  const hex8 = () => uint32().toString(16).padStart(8, "0");
  return {
    next,
    int: (min, max) => min + Math.floor(next() * (max - min + 1)),
    chance: (probability) => next() < probability,
    pick: (items) => items[Math.floor(next() * items.length)] ?? items[0],
    favour: (items) => items[Math.floor(next() ** 1.8 * items.length)] ?? items[0],
    wait: (mean) => -mean * Math.log(1 - next()),
    hex: (digits) => hex8() + (digits > 8 ? hex8() : "") + (digits > 16 ? hex8() : ""),
    uuid: () => {
      const [a, b, c, d] = [hex8(), hex8(), hex8(), hex8()];
      const variant = "89ab"[uint32() & 3];
      return `${a}-${b.slice(0, 4)}-4${b.slice(5)}-${variant}${c.slice(1, 4)}-${c.slice(4)}${d}`;
    },
  };
}

/** The same chance, but ids that count up: files in which they are most of what differs compress to a third. */
export function withCountedIds(random: Random): Random {
  let ids = 0;
  const next = (digits: number) => (++ids).toString(16).padStart(digits, "0");
  return { ...random, hex: next, uuid: () => `5a3b1e00-0000-4000-8000-${next(12)}` };
}

/** Chris Doty-Humphrey's small fast counter: 128 bits of state, passes PractRand. */
function sfc32(a: number, b: number, c: number, d: number): () => number {
  let [w, x, y, counter] = [a | 0, b | 0, c | 0, d | 0];
  const step = () => {
    const sum = (w + x + counter) | 0;
    counter = (counter + 1) | 0;
    w = x ^ (x >>> 9);
    x = (y + (y << 3)) | 0;
    y = ((y << 21) | (y >>> 11)) + sum;
    y |= 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 15; i++) step(); // the first numbers still resemble the seed
  return step;
}

/** FNV-1a from four bases. */
function expand(seed: string): [number, number, number, number] {
  const hash = (basis: number) => {
    let value = basis;
    for (const byte of new TextEncoder().encode(seed)) value = Math.imul(value ^ byte, 0x01000193);
    return value;
  };
  return [hash(0x811c9dc5), hash(0x9e3779b9), hash(0x85ebca6b), 1];
}
