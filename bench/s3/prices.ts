/** https://aws.amazon.com/s3/pricing, S3 Standard in ap-southeast-1, US$ for 1,000 requests. */
const PRICES = { list: 0.005, get: 0.0004 } as const;

export interface Requests {
  readonly list: number;
  readonly get: number;
}

/** US$ */
export const priceOf = ({ list, get }: Requests): number => (list * PRICES.list + get * PRICES.get) / 1000;
