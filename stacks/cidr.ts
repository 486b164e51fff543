/** An IPv4 network: the value of its first address and the number of its fixed bits. */
export interface Cidr {
  readonly first: number;
  readonly bits: number;
}

/** The network that `text` (`a.b.c.d/n`) names, or null when it is none or has bits set after its prefix. */
export function parseCidr(text: string): Cidr | null {
  const [address = "", suffix = "", ...rest] = text.split("/");
  const first = parseAddress(address);
  if (first === null || rest.length > 0 || !/^\d{1,2}$/.test(suffix)) return null;
  const bits = Number(suffix);
  return bits <= 32 && first % size(bits) === 0 ? { first, bits } : null;
}

/** The value of a dotted address, or null when `text` is none. */
export function parseAddress(text: string): number | null {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return null;
  return parts.reduce((value, part) => value * 256 + Number(part), 0);
}

export function contains(outer: Cidr, inner: Cidr): boolean {
  return inner.bits >= outer.bits && inner.first - (inner.first % size(outer.bits)) === outer.first;
}

export function overlap(one: Cidr, other: Cidr): boolean {
  return contains(one, other) || contains(other, one);
}

/** Whether an instance may hold `address` in `subnet`: AWS keeps the first four and the last for itself. */
export function isHostAddress(subnet: Cidr, address: number): boolean {
  const offset = address - subnet.first;
  return offset >= 4 && offset < size(subnet.bits) - 1;
}

function size(bits: number): number {
  return 2 ** (32 - bits);
}
