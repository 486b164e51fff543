import { isIpName } from "../transform/ip-address.js";

const [I, P, D, R, W] = [0x69, 0x70, 0x64, 0x72, 0x77];

/** Whether a member holds an IP address, by its key: `isIpName`, which asks for i and p, d and d, or r and w side by side. */
export function namesIp(bytes: Uint8Array, from: number, to: number): boolean {
  let before = 0;
  for (let at = from; at < to; at++) {
    const letter = (bytes[at] as number) | 0x20;
    if ((letter === P && before === I) || (letter === D && before === D) || (letter === W && before === R))
      return isIpName(new TextDecoder().decode(bytes.subarray(from, to)));
    before = letter;
  }
  return false;
}
