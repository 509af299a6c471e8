/** What shows files in a thread. Fetched when there is one. */
export { FileBubble } from './FileBubble';
export { Viewer } from './Viewer';
