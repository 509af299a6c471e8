/**
 * Finding by words: BM25 over pairs of Chinese characters and over words of other scripts. The TypeScript version of
 * `crates/nlu/src/knowledge/words.rs`; both are held to `tests/data/words.json`.
 */

/** How fast more of the same word stops to count. */
const K1 = 1.2;
/** How much long phrases are discounted. */
const B = 0.5;

const CJK = /[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{323af}]/u;
const ALPHANUMERIC = /[\p{Alphabetic}\p{N}]/u;

/** Marks with a meaning: C++, 20%, $5. */
const SAYING = '+%#&@$€¥£°<>=*';
/** Marks with a meaning between two digits: 5.5, 10-20. */
const INNER = '.,:-/';
const digit = (c: string | undefined): boolean => c !== undefined && c >= '0' && c <= '9';

/**
 * A text as it is compared for being the very same question: in compatibility form, small letters, without the marks between and
 * after sentences, and no blank beside a Chinese character.
 */
export function same(text: string): string {
  let out = '';
  let before = '';
  let gap = false;
  const chars = [...[...text.normalize('NFKC')].map((one) => one.toLowerCase()).join('')];
  chars.forEach((c, n) => {
    const inner = INNER.includes(c) && digit(before) && !gap && digit(chars[n + 1]);
    if (!inner && !ALPHANUMERIC.test(c) && !SAYING.includes(c)) {
      gap = true;
      return;
    }
    if (gap && before && !CJK.test(before) && !CJK.test(c)) out += ' ';
    gap = false;
    out += c;
    before = c;
  });
  return out;
}

/** Whether a text is Chinese: it has a Chinese character, or no letter of another script either. */
export function isZh(text: string): boolean {
  return CJK.test(text) || !/\p{Alphabetic}/u.test(text);
}

/** Pairs of neighbouring Chinese characters, single ones if they are alone, and words of letters and digits. */
export function words(text: string): string[] {
  const found: string[] = [];
  let word = '';
  let before = '';
  let paired = false;
  const close = (): void => {
    if (word) found.push(word);
    word = '';
  };
  // letter by letter, as Rust does: a sigma at the end of a word is no other letter
  for (const c of [...[...text.normalize('NFKC')].map((one) => one.toLowerCase()).join(''), ' ']) {
    if (CJK.test(c)) {
      close();
      if (before) found.push(before + c);
      paired = !!before;
      before = c;
      continue;
    }
    if (before && !paired) found.push(before);
    before = '';
    paired = false;
    if (ALPHANUMERIC.test(c)) word += c;
    else close();
  }
  return found;
}

/** Which phrases have which word, and how often. */
export class Words {
  private readonly places = new Map<string, { phrase: number; times: number }[]>();
  private readonly lengths: number[] = [];
  private total = 0;

  /** Adds the next phrase. */
  push(phrase: string): void {
    const all = words(phrase);
    const times = new Map<string, number>();
    for (const word of all) times.set(word, (times.get(word) ?? 0) + 1);
    for (const [word, n] of times) {
      const places = this.places.get(word) ?? [];
      places.push({ phrase: this.lengths.length, times: Math.min(n, 255) });
      this.places.set(word, places);
    }
    this.lengths.push(all.length);
    this.total += all.length;
  }

  /**
   * How much of a text each phrase covers that has one of its words, from 0 to about 1: its BM25 over that of a phrase
   * that has all words of the text.
   */
  cover(said: ReadonlySet<string>): Map<number, number> {
    const count = this.lengths.length;
    const mean = Math.max(this.total / Math.max(count, 1), 1);
    const cover = new Map<number, number>();
    let most = 0;
    for (const word of said) {
      const rarity = this.rarity(word);
      most += rarity;
      for (const { phrase, times } of this.places.get(word) ?? []) {
        const length = 1 - B + (B * this.lengths[phrase]!) / mean;
        cover.set(phrase, (cover.get(phrase) ?? 0) + (rarity * times * (K1 + 1)) / (times + K1 * length));
      }
    }
    for (const [phrase, sum] of cover) cover.set(phrase, Math.min(sum / most, 1));
    return cover;
  }

  /** The reverse: how much of a phrase these words cover, by the rarity of its words; 0 to 1. */
  covered(phrase: string, said: ReadonlySet<string>): number {
    let [all, there] = [0, 0];
    for (const word of new Set(words(phrase))) {
      all += this.rarity(word);
      if (said.has(word)) there += this.rarity(word);
    }
    return all && there / all;
  }

  private rarity(word: string): number {
    const places = this.places.get(word)?.length ?? 0;
    return Math.log(1 + (this.lengths.length - places + 0.5) / (places + 0.5));
  }
}
