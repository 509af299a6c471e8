/** What several attacks have in common. */
import type { SignedJson } from '../../../src/proto';
import { rest } from '../clock';
import type { Who } from '../hooks';
import type { World } from '../world';
import type { Wire } from '../wire';

/** The agent who reads in the scenario. */
export const AGENTS: readonly Who[] = ['li', 'wu'];
export const EVERYBODY: readonly Who[] = ['visitor', ...AGENTS];

/** Entries after the genuine ones, for `who` alone. */
export async function showEntries(w: World, id: string, who: readonly Who[], ...more: SignedJson[]): Promise<void> {
  const { log, server } = w;
  for (const p of who) {
    const all = (): SignedJson[] => [...log.entries, ...more];
    w.hooks.http<{ entries: SignedJson[] }>(id, p, '/directory?', (a, path) => ({
      ...a,
      entries: all().slice(Number(/after=(-?\d+)/.exec(path)![1]) + 1),
    }));
    w.hooks.http<{ directory: { tail: SignedJson[] } }>(id, p, '/site/', (a) => ({
      ...a,
      directory: { ...a.directory, tail: [...a.directory.tail, ...more] },
    }));
    server.tell(p, { t: 'directory', seq: all().length - 1 });
  }
  await rest();
}

/** Shows everyone that the directory grew. */
export async function tellAll(w: World): Promise<void> {
  w.server.tellDirectory();
  await rest();
}

/** Who was with the company until now, by their own key of the epoch; the company has dismissed them and everyone knows. */
export async function dismissQi(w: World): Promise<Uint8Array | null> {
  const ek = w.stored ? await w.teamKey('svc', 1) : null;
  w.dismissed.set('qi', w.log.entries.length);
  await w.log.dismiss('qi');
  await tellAll(w);
  return ek;
}

/** The nth message of the visitor, from 0: form, hello, my card is gone, yes, oops, … */
export const visitorMessage = (w: World, n: number): Wire | undefined =>
  w.server.sent
    .filter((s) => s.who === 'visitor' && s.w.kind === 1)
    .map((s) => s.w)
    .filter((x, i, all) => all.findIndex((y) => y.msg === x.msg) === i)[n];

/** Conversation as `Conv` frames name it, changed on its way to `who`. */
export function changeConv(
  w: World,
  id: string,
  who: Who,
  change: (c: Record<string, unknown>) => Record<string, unknown>,
): void {
  w.hooks.frame(id, who, (f) => {
    if (f.t === 'conv') return { ...f, conv: change(f.conv as Record<string, unknown>) };
    if (f.t === 'welcome') return { ...f, convs: (f.convs as Record<string, unknown>[]).map(change) };
    return f;
  });
}

/** The network of `who` breaks and comes back. */
export async function reconnect(w: World, who: Who): Promise<void> {
  w.server.cut(who);
  await rest(3_000);
}
