const GOLDEN = 0x9e3779b9;
const ID_BYTES = 16;
const SEED = (GOLDEN + ID_BYTES + 3923095) | 0;

/**
 * PostgreSQL's `uuid_hash(id)`, so that what a load sent can be told from what the table holds by a sum of it.
 * Bob Jenkins' lookup3 over the id's four words: one round of three, and the last.
 * @param id its 16 bytes
 * @returns 32 bits, signed
 */
export function uuidHash(id: Buffer): number {
  let a = (SEED + id.readInt32LE(0)) | 0;
  let b = (SEED + id.readInt32LE(4)) | 0;
  let c = (SEED + id.readInt32LE(8)) | 0;
  a = (a - c) ^ rotate(c, 4);
  c = (c + b) | 0;
  b = (b - a) ^ rotate(a, 6);
  a = (a + c) | 0;
  c = (c - b) ^ rotate(b, 8);
  b = (b + a) | 0;
  a = (a - c) ^ rotate(c, 16);
  c = (c + b) | 0;
  b = (b - a) ^ rotate(a, 19);
  a = (a + c) | 0;
  c = (c - b) ^ rotate(b, 4);
  b = (b + a) | 0;
  a = (a + id.readInt32LE(12)) | 0;
  c = ((c ^ b) - rotate(b, 14)) | 0;
  a = ((a ^ c) - rotate(c, 11)) | 0;
  b = ((b ^ a) - rotate(a, 25)) | 0;
  c = ((c ^ b) - rotate(b, 16)) | 0;
  a = ((a ^ c) - rotate(c, 4)) | 0;
  b = ((b ^ a) - rotate(a, 14)) | 0;
  return ((c ^ b) - rotate(b, 24)) | 0;
}

const rotate = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits));
