/** Hands a file to the browser's downloads. */
import { savedName } from './names';

/** How long a browser may take to begin with it, ms. */
const KEPT_MS = 60_000;

export function save(file: Blob, name: string): void {
  // no type that a browser would rather show
  const url = URL.createObjectURL(file.slice(0, file.size, 'application/octet-stream'));
  const link = document.createElement('a');
  link.href = url;
  link.download = savedName(name);
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}
