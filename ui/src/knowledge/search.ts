/** Which entries of a site's knowledge fit what a visitor wrote, by words alone. All of it happens in this page. */
import { isZh, same, Words, words } from './words';

/** As `GET /knowledge/<site>` has it. The answer is Markdown. */
export interface Entry {
  id: string;
  question: string;
  similar?: string[];
  answer: string;
  lang?: string;
}

export interface Suggestion {
  entry: Entry;
  /** How much of the text it covers; 1: the same words. */
  score: number;
}

/** Less than this share of the text is chance, unless the text covers much of the phrase: people write long sentences. */
const LEAST = 0.3;
const LEAST_OF_PHRASE = 0.5;
/** An entry in another language than the visitor's counts a little less; as in `crates/nlu/src/knowledge/index.rs`. */
const FOREIGN = 0.9;
/** Messages of one turn that are looked at, the newest first. */
export const MESSAGES = 5;
/** Characters of a message that are looked at: a question is shorter, and the words of a long text are in every entry. */
const MAX_CHARS = 500;

export class Search {
  private readonly words = new Words();
  /** The entry of each phrase. */
  private readonly owner: { entry: Entry; phrase: string }[] = [];
  private readonly exact = new Map<string, number[]>();

  constructor(readonly entries: readonly Entry[]) {
    for (const entry of entries) {
      for (const phrase of [entry.question, ...(entry.similar ?? [])]) {
        const key = same(phrase);
        this.exact.set(key, [...(this.exact.get(key) ?? []), this.owner.length]);
        this.words.push(phrase);
        this.owner.push({ entry, phrase });
      }
    }
  }

  /** The `most` entries that fit one text best, best first. */
  find(whole: string, most: number): Suggestion[] {
    const text = whole.slice(0, MAX_CHARS);
    const said = new Set(words(text));
    const scores = this.words.cover(said);
    for (const [phrase, score] of scores) scores.set(phrase, Math.min(score, 0.999));
    for (const phrase of this.exact.get(same(text)) ?? []) scores.set(phrase, 1);
    const lang = isZh(text) ? 'zh' : 'en';
    const best = new Map<Entry, number>();
    for (const [n, cover] of scores) {
      const { entry, phrase } = this.owner[n]!;
      const score = entry.lang && entry.lang !== lang ? cover * FOREIGN : cover;
      if (score <= (best.get(entry) ?? 0)) continue;
      if (cover >= LEAST || this.words.covered(phrase, said) >= LEAST_OF_PHRASE) best.set(entry, score);
    }
    return ranked(best, most);
  }

  /**
   * For all that was written since the last answer: each message is looked for alone, a greeting hides no question, and what the newest
   * one finds comes first, in full. `given` are entries that were answered with already.
   */
  findAny(texts: readonly string[], most: number, given: ReadonlySet<string> = new Set()): Suggestion[] {
    const best = new Map<Entry, Suggestion>();
    for (const text of texts.slice(-MESSAGES).reverse()) {
      for (const one of this.find(text, most + given.size)) {
        if (best.size < most && !given.has(one.entry.id) && !best.has(one.entry)) best.set(one.entry, one);
      }
    }
    return [...best.values()];
  }
}

function ranked(best: Map<Entry, number>, most: number): Suggestion[] {
  const all = [...best].map(([entry, score]) => ({ entry, score }));
  return all.sort((a, b) => b.score - a.score || (a.entry.id < b.entry.id ? -1 : 1)).slice(0, most);
}
