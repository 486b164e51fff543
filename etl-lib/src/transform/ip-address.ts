import { isIPv4, isIPv6 } from "node:net";

/** Members that hold a visitor's address, by their letters alone: `sourceIp`, `X-Forwarded-For`, `remote_addr` … */
const NAMES = new Set([
  ...["ip", "sourceip", "clientip", "remoteip", "userip", "visitorip", "realip", "xrealip", "xclientip"],
  ...["ipaddress", "ipaddr", "remoteaddr", "remoteaddress", "clientaddress", "sourceaddress"],
  ...["xforwardedfor", "forwarded", "forwardedfor", "trueclientip", "cfconnectingip", "fastlyclientip"],
]);
/** Letters side by side that one of these names has. */
const HINT = /ip|dd|rw/i;

/** Whether text may name such a member: where not, none has to be looked for. */
export const mayNameIp = (text: string): boolean => HINT.test(text);

export const isIpName = (name: string): boolean =>
  mayNameIp(name) && NAMES.has(name.replace(/[^a-z]/gi, "").toLowerCase());

/** The network an address lies in: of IPv4 the first 24 bits, of IPv6 the first 48; null for any other text. */
export function networkOf(address: unknown): string | null {
  if (typeof address !== "string") return null;
  if (isIPv4(address)) return `${address.slice(0, address.lastIndexOf("."))}.0/24`;
  if (!isIPv6(address) || address.includes("%")) return null;
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1];
  if (mapped) return networkOf(mapped);
  const [left = "", right] = address.split("::");
  const groups = left === "" ? [] : left.split(":");
  // Of what is left out in the middle, at most three groups are of interest, and the address is valid.
  const behind = right ? right.split(":") : [];
  const width = behind.at(-1)?.includes(".") ? behind.length + 1 : behind.length;
  while (right !== undefined && groups.length < 8 - width) groups.push("0");
  return `${[...groups, ...behind].slice(0, 3).join(":").toLowerCase()}::/48`;
}
