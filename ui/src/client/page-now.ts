/** Characters of an address. */
const MAX_PAGE = 2_000;

/** The page that the visitor writes from; sealed like everything else. */
export function pageNow(): { url: string; title: string; referrer: string } | undefined {
  if (typeof document === 'undefined') return undefined;
  // all of it must fit into one envelope beside the answers
  return {
    url: location.href.slice(0, MAX_PAGE),
    title: document.title.slice(0, MAX_PAGE / 4),
    referrer: document.referrer.slice(0, MAX_PAGE),
  };
}
