/** Where an attack may change what one client is shown. All hooks of all attacks are applied, in the order in which they were set. */
import type { Rec, Wire } from './wire';

/** Who looks: `visitor`, or an agent's user id. */
export type Who = string;
export type Frame = Record<string, unknown>;

/** What becomes of an envelope: stored if it may be, stored whatever it is, lost without a word, or refused with a code. */
export type Fate = 'store' | 'force' | 'lose' | number;

export class Hooks {
  /** How often an attack changed what a reader was shown. An attack that never did was not carried out. */
  readonly told = new Map<string, number>();
  private readonly onRecords: ((who: Who, list: Rec[], conv: string) => Rec[])[] = [];
  private readonly onHistory: ((who: Who, list: Rec[]) => number | null)[] = [];
  private readonly onFrame: ((who: Who, f: Frame) => Frame | null)[] = [];
  private readonly onHttp: ((who: Who, path: string, answer: unknown) => unknown)[] = [];
  private readonly onReceive: ((who: Who, w: Wire) => Fate | null)[] = [];

  count(attack: string): void {
    this.told.set(attack, (this.told.get(attack) ?? 0) + 1);
  }

  /** The records of the conversation, as `who` is shown them. */
  records(attack: string, who: Who, change: (list: Rec[], conv: string) => Rec[]): void {
    this.onRecords.push((w, list, conv) => {
      if (w !== who) return list;
      const out = change(list, conv);
      if (out.length !== list.length || out.some((r, i) => r !== list[i])) this.count(attack);
      return out;
    });
  }

  /** How many records come before `synced`; null: all. The rest is delivered as live. */
  history(attack: string, who: Who, split: (list: Rec[]) => number | null): void {
    this.onHistory.push((w, list) => {
      const n = w === who ? split(list) : null;
      if (n !== null) this.count(attack);
      return n;
    });
  }

  /** A text frame on its way to `who`; null: withheld. */
  frame(attack: string, who: Who, change: (f: Frame) => Frame | null): void {
    this.onFrame.push((w, f) => {
      if (w !== who) return f;
      const out = change(f);
      if (out !== f) this.count(attack);
      return out;
    });
  }

  /** The answer to an HTTP request whose path begins so. */
  http<T>(attack: string, who: Who, path: string, change: (answer: T, path: string) => T | Promise<T>): void {
    this.onHttp.push(async (w, p, answer) => {
      if (w !== who || !p.startsWith(path)) return answer;
      const out = await change(answer as T, p);
      if (out !== answer) this.count(attack);
      return out;
    });
  }

  /** An envelope that came from `who`; null: as an honest server would. */
  receive(attack: string, who: Who, fate: (w: Wire) => Fate | null): void {
    this.onReceive.push((p, w) => {
      const f = p === who ? fate(w) : null;
      if (f !== null) this.count(attack);
      return f;
    });
  }

  private readonly paging = new Map<Who, string>();
  /** `who` is not sent what it misses, but must fetch it over HTTP. */
  page(attack: string, who: Who): void {
    this.paging.set(who, attack);
  }
  pages(who: Who): boolean {
    const attack = this.paging.get(who);
    if (attack !== undefined) this.count(attack);
    return attack !== undefined;
  }

  private readonly falseRewinds = new Map<Who, string>();
  /** The next `resume` of `who` is answered by `rewound`, regardless of the log. */
  rewindOnce(attack: string, who: Who): void {
    this.falseRewinds.set(who, attack);
  }
  rewinds(who: Who): boolean {
    const attack = this.falseRewinds.get(who);
    if (attack === undefined) return false;
    this.falseRewinds.delete(who);
    this.count(attack);
    return true;
  }

  applyRecords(who: Who, list: Rec[], conv: string): Rec[] {
    return this.onRecords.reduce((l, f) => f(who, l, conv), list);
  }
  applyHistory(who: Who, list: Rec[]): number {
    return this.onHistory.reduce<number>((n, f) => Math.min(n, f(who, list) ?? n), list.length);
  }
  applyFrame(who: Who, frame: Frame): Frame | null {
    return this.onFrame.reduce<Frame | null>((f, change) => f && change(who, f), frame);
  }
  async applyHttp(who: Who, path: string, answer: unknown): Promise<unknown> {
    let a = answer;
    for (const change of this.onHttp) a = await change(who, path, a);
    return a;
  }
  applyReceive(who: Who, w: Wire): Fate | null {
    for (const f of this.onReceive) {
      const fate = f(who, w);
      if (fate !== null) return fate;
    }
    return null;
  }
}
