import Bowser from "bowser";
import { isbot } from "isbot";

/** What a user agent says of itself. */
export interface Agent {
  readonly device: string | null;
  readonly browser: string | null;
  readonly os: string | null;
  readonly isBot: boolean;
}

/** Whoever writes a longer one hides nothing behind it that anyone looks at. */
const MAX_AGENT_LENGTH = 512;
/** A shop meets a few hundred in an hour; whoever sends a new one each time costs 40 µs an event, and no memory. */
const MAX_REMEMBERED = 2_000;
/** The parser makes up names from what it does not know: a stranger's text is no browser. */
const BROWSERS = new Set<string>(Object.values(Bowser.BROWSER_MAP));
const SYSTEMS = new Set<string>(Object.values(Bowser.OS_MAP));
const DEVICES = new Set<string>(["desktop", "mobile", "tablet", "tv"]);

/**
 * Remembers something about each of the texts that come again and again. Full, it forgets the older half: of what is
 * asked for all the time nothing is lost.
 */
export class Memory<T> {
  #young = new Map<string, T>();
  #old = new Map<string, T>();

  constructor(
    private readonly make: (text: string) => T,
    private readonly most: number,
  ) {}

  get(text: string): T {
    let value = this.#young.get(text);
    if (value !== undefined) return value;
    value = this.#old.get(text) ?? this.make(text);
    if (this.#young.size >= this.most / 2) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(text, value);
    return value;
  }
}

const agents = new Memory(parse, MAX_REMEMBERED);

/** @param text not empty */
export const agentOf = (text: string): Agent => agents.get(text.slice(0, MAX_AGENT_LENGTH));

function parse(text: string): Agent {
  const { platform, browser, os } = Bowser.parse(text);
  const isBot = isbot(text) || platform.type === "bot";
  return {
    device: isBot ? "bot" : known(DEVICES, platform.type),
    browser: known(BROWSERS, browser.name),
    os: known(SYSTEMS, os.name),
    isBot,
  };
}

const known = (names: ReadonlySet<string>, name: string | undefined): string | null =>
  name !== undefined && names.has(name) ? name : null;
