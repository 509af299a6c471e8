/** Whether one pane fills the page, as on a phone: the same width as in responsive.css. */
import { signal } from '../signals';

const query = globalThis.matchMedia?.('(max-width: 666px)');

export const narrow = signal(query?.matches ?? false);
query?.addEventListener('change', (e) => (narrow.value = e.matches));
