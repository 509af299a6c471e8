/** Whether this browser is in a conversation with the site: a look at what the panel keeps, without making anything. */
import { DATABASE, TABLE } from '../storage/store';

/**
 * What the panel calls the conversation that it shows, and the one beside it (`client/tabs.ts`). Names of a person with a seed have one more
 * part before.
 */
const KEPT = ['conv', 'beside'];

export function hasConversation(server: string, site: string): Promise<boolean> {
  return new Promise((done) => {
    const none = () => done(false);
    try {
      const opening = indexedDB.open(DATABASE);
      // there is none, and there shall be none: the panel makes it
      opening.onupgradeneeded = () => opening.transaction!.abort();
      opening.onerror = opening.onblocked = none;
      opening.onsuccess = () => {
        const db = opening.result;
        try {
          const prefix = `v/${server}/${site}/`;
          const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`);
          const names = db.transaction(TABLE).objectStore(TABLE).getAllKeys(range);
          names.onsuccess = () =>
            done(names.result.some((name) => KEPT.some((end) => String(name).endsWith(`/${end}`))));
          names.onerror = none;
        } catch {
          none();
        }
        // after what is under way
        db.close();
      };
    } catch {
      // storage is blocked
      none();
    }
  });
}
