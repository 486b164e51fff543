import type { Random } from "./random.js";

/** Someone with a browser; what is known of them outlasts the visit. */
export interface Visitor {
  readonly clientId: string;
  /** Null for those who never made an account. */
  readonly account: string | null;
  readonly userAgent: string;
  readonly sourceIp: string;
  isLoggedIn: boolean;
  /** Milliseconds since 1970; a visitor is at one place at a time. */
  busyUntil: number;
}

/** How many are remembered: enough for repeat visits, few enough for any number of events. */
const REMEMBERED = 20_000;
const COMES_BACK = 0.42;
const HAS_ACCOUNT = 0.55;
const HALF_AN_HOUR = 30 * 60_000;

const USER_AGENTS = [
  "Mozilla/5.0 (Linux; Android 15; SM-A566B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
] as const;
const BOTS = [
  "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
  "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
  "python-requests/2.32.3",
] as const;
/** Reserved for documentation: nobody's address. */
const NETWORKS = ["192.0.2", "198.51.100", "203.0.113"] as const;

/** The people of the shop: new ones and those who come back. */
export class Visitors {
  readonly #known: Visitor[] = [];
  #accounts = 0;

  constructor(private readonly random: Random) {}

  /** Someone who starts a visit at `time`. */
  arrive(time: number): { visitor: Visitor; isFirstVisit: boolean } {
    const returning = this.random.chance(COMES_BACK) ? this.#someoneFree(time) : null;
    if (returning !== null) return { visitor: returning, isFirstVisit: false };
    const visitor = this.#newcomer();
    this.#remember(visitor);
    return { visitor, isFirstVisit: true };
  }

  /** Nobody: no two visits of bots have anything in common but the programs they are made with. */
  bot(): Visitor {
    const { random } = this;
    const sourceIp = `${NETWORKS[2]}.${random.int(240, 254)}`;
    const [clientId, userAgent] = [random.uuid(), random.pick(BOTS)];
    return { clientId, account: null, userAgent, sourceIp, isLoggedIn: false, busyUntil: 0 };
  }

  #someoneFree(time: number): Visitor | null {
    const visitor = this.#known[this.random.int(0, this.#known.length)];
    return visitor !== undefined && visitor.busyUntil + HALF_AN_HOUR < time ? visitor : null;
  }

  #newcomer(): Visitor {
    const { random } = this;
    return {
      clientId: random.uuid(),
      account: random.chance(HAS_ACCOUNT) ? `u-${100_001 + this.#accounts++}` : null,
      userAgent: random.pick(USER_AGENTS),
      sourceIp: `${random.pick(NETWORKS)}.${random.int(1, 254)}`,
      isLoggedIn: false,
      busyUntil: 0,
    };
  }

  #remember(visitor: Visitor): void {
    if (this.#known.length < REMEMBERED) this.#known.push(visitor);
    else this.#known[this.random.int(0, REMEMBERED - 1)] = visitor;
  }
}
