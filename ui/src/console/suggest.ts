/** Remembers the last search: every key that is pressed renders the field and what is above it. */
import type { Search, Suggestion } from '../knowledge/search';

/** At most so many suggestions. */
export const MOST = 3;

export type Suggest = (search: Search, texts: readonly string[], given: ReadonlySet<string>) => Suggestion[];

export function createSuggest(): Suggest {
  let last: { search: Search; asked: readonly string[]; given: ReadonlySet<string>; found: Suggestion[] } | undefined;
  return (search, texts, given) => {
    const same =
      last?.search === search &&
      texts.length === last.asked.length &&
      texts.every((text, i) => text === last!.asked[i]) &&
      given.size === last.given.size &&
      [...given].every((id) => last!.given.has(id));
    if (!last || !same) last = { search, asked: texts, given, found: search.findAny(texts, MOST, given) };
    return last.found;
  };
}
