/** The end of an index. Apart from the rest, which is loaded only when somebody searches. */

/** Name of the database with the index, of who is signed in at a server. */
export const searchDatabase = (storagePrefix: string): string => `kefu-search/${storagePrefix}`;

/** Deletes it; tabs that have it open let go of it. Does not wait for them. */
export function forgetSearch(storagePrefix: string): void {
  try {
    indexedDB.deleteDatabase(searchDatabase(storagePrefix));
  } catch {
    // a browser without it has no index
  }
}
