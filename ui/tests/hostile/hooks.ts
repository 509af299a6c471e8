/** Where a lie may put its hand on what one client is shown. All hooks of all lies are applied, in the order in which they were set. */
import type { Rec, Wire } from './wire';

/** Who looks: `visitor`, or an agent's user id. */
export type Who = string;
export type Frame = Record<string, unknown>;

/** What becomes of an envelope: stored if it may be, stored whatever it is, lost without a word, or refused with a code. */
export type Fate = 'store' | 'force' | 'lose' | number;

export class Hooks {
  /** How often a lie changed what somebody was shown. A lie that never did was not told. */
  readonly told = new Map<string, number>();
  private readonly onRecords: ((who: Who, list: Rec[], conv: string) => Rec[])[] = [];
  private readonly onHistory: ((who: Who, list: Rec[]) => number | null)[] = [];
  private readonly onFrame: ((who: Who, f: Frame) => Frame | null)[] = [];
  private readonly onHttp: ((who: Who, path: string, answer: unknown) => unknown)[] = [];
  private readonly onReceive: ((who: Who, w: Wire) => Fate | null)[] = [];

  count(lie: string): void {
    this.told.set(lie, (this.told.get(lie) ?? 0) + 1);
  }

  /** The records of the conversation, as `who` is shown them. */
  records(lie: string, who: Who, change: (list: Rec[], conv: string) => Rec[]): void {
    this.onRecords.push((w, list, conv) => {
      if (w !== who) return list;
      const out = change(list, conv);
      if (out.length !== list.length || out.some((r, i) => r !== list[i])) this.count(lie);
      return out;
    });
  }

  /** How many records come before `synced`; null: all. The rest is delivered as live. */
  history(lie: string, who: Who, split: (list: Rec[]) => number | null): void {
    this.onHistory.push((w, list) => {
      const n = w === who ? split(list) : null;
      if (n !== null) this.count(lie);
      return n;
    });
  }

  /** A text frame on its way to `who`; null: withheld. */
  frame(lie: string, who: Who, change: (f: Frame) => Frame | null): void {
    this.onFrame.push((w, f) => {
      if (w !== who) return f;
      const out = change(f);
      if (out !== f) this.count(lie);
      return out;
    });
  }

  /** The answer to an HTTP request whose path begins so. */
  http<T>(lie: string, who: Who, path: string, change: (answer: T, path: string) => T | Promise<T>): void {
    this.onHttp.push(async (w, p, answer) => {
      if (w !== who || !p.startsWith(path)) return answer;
      const out = await change(answer as T, p);
      if (out !== answer) this.count(lie);
      return out;
    });
  }

  /** An envelope that came from `who`; null: as an honest server would. */
  receive(lie: string, who: Who, fate: (w: Wire) => Fate | null): void {
    this.onReceive.push((p, w) => {
      const f = p === who ? fate(w) : null;
      if (f !== null) this.count(lie);
      return f;
    });
  }

  private readonly paging = new Map<Who, string>();
  /** `who` is not sent what it misses, but must fetch it over HTTP. */
  page(lie: string, who: Who): void {
    this.paging.set(who, lie);
  }
  pages(who: Who): boolean {
    const lie = this.paging.get(who);
    if (lie !== undefined) this.count(lie);
    return lie !== undefined;
  }

  private readonly falseRewinds = new Map<Who, string>();
  /** The next `resume` of `who` is answered by `rewound`, whatever the log says. */
  rewindOnce(lie: string, who: Who): void {
    this.falseRewinds.set(who, lie);
  }
  rewinds(who: Who): boolean {
    const lie = this.falseRewinds.get(who);
    if (lie === undefined) return false;
    this.falseRewinds.delete(who);
    this.count(lie);
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
