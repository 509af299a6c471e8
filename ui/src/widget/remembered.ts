/** What the panel keeps in this browser, for the launcher: whether there is a conversation with the site, and forgetting it all. */
import { DATABASE, TABLE, within } from '../storage/store';

/**
 * What the panel calls the conversation that it shows, and the one beside it (`client/tabs.ts`). Names of a person with a seed have one more
 * part before.
 */
const KEPT = ['conv', 'beside'];

/** Opens what the panel keeps, if it has kept something. Resolves with `none` where there is nothing, or storage is blocked. */
function look<T>(none: T, mode: IDBTransactionMode, ask: (table: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  return new Promise((done) => {
    const nothing = () => done(none);
    try {
      const opening = indexedDB.open(DATABASE);
      // there is none, and there shall be none: the panel makes it
      opening.onupgradeneeded = () => opening.transaction!.abort();
      opening.onerror = opening.onblocked = nothing;
      opening.onsuccess = () => {
        const db = opening.result;
        try {
          const transaction = db.transaction(TABLE, mode);
          const asked = ask(transaction.objectStore(TABLE));
          transaction.oncomplete = () => done(asked.result);
          transaction.onerror = transaction.onabort = nothing;
        } catch {
          nothing();
        }
        // after what is under way
        db.close();
      };
    } catch {
      // storage is blocked
      nothing();
    }
  });
}

interface Place {
  server: string;
  site: string;
}

const prefixOf = ({ server, site }: Place): string => `v/${server}/${site}/`;

export async function hasConversation(server: string, site: string): Promise<boolean> {
  const range = within(prefixOf({ server, site }));
  const names = await look<IDBValidKey[]>([], 'readonly', (table) => table.getAllKeys(range));
  return names.some((name) => KEPT.some((end) => String(name).endsWith(`/${end}`)));
}

/** Tabs of this browser in which a visitor is forgotten. */
export const resetChannel = (place: Place): BroadcastChannel | null =>
  typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel(`kefu/reset/${prefixOf(place)}`);

/** Nothing of the site's visitors stays in this browser; other tabs are told. */
export async function forget(place: Place): Promise<void> {
  await look<undefined>(undefined, 'readwrite', (table) => table.delete(within(prefixOf(place))));
  const channel = resetChannel(place);
  channel?.postMessage(0);
  channel?.close();
}
