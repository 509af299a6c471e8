/** How files come into a message box: chosen, pasted, or dropped on the conversation. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../i18n/shared';
import type { Tray } from '../files/tray';

/** Browsers call every picture that is pasted so. */
const PASTED = 'image.png';

export interface Pick {
  add(files: Iterable<File>): void;
  onPaste(e: ClipboardEvent): void;
  /** Files are being held over the conversation. */
  over: boolean;
}

/** `place`: the form; files are dropped anywhere in the `[data-drop]` around it. No `tray`: nothing is taken. */
export function usePick(
  place: { readonly current: HTMLElement | null },
  tray: Tray | undefined,
  max: () => number | Promise<number>,
): Pick {
  const [over, setOver] = useState(false);
  const add = (files: Iterable<File>): void => tray?.add(files, max, nameOf);
  const newest = useRef(add);
  newest.current = add;

  useEffect(() => {
    const area = tray && place.current?.closest<HTMLElement>('[data-drop]');
    if (!area) return;
    // of the elements inside: entering one comes before leaving the other
    let depth = 0;
    const held = (fn: (e: DragEvent) => void) => (e: Event) => {
      const { dataTransfer } = e as DragEvent;
      if (!dataTransfer?.types.includes('Files')) return;
      // the page around it has nothing to do with them, nor has the browser
      e.preventDefault();
      e.stopPropagation();
      fn(e as DragEvent);
    };
    const on = {
      dragenter: held(() => setOver(++depth > 0)),
      dragover: held((e) => (e.dataTransfer!.dropEffect = 'copy')),
      dragleave: held(() => setOver(--depth > 0)),
      drop: held((e) => {
        depth = 0;
        setOver(false);
        newest.current(e.dataTransfer!.files);
      }),
    };
    for (const [name, fn] of Object.entries(on)) area.addEventListener(name, fn);
    return () => {
      for (const [name, fn] of Object.entries(on)) area.removeEventListener(name, fn);
    };
  }, [tray]);

  const onPaste = (e: ClipboardEvent): void => {
    const files = e.clipboardData?.files;
    // a table that is copied comes as a picture, too
    if (!tray || !files?.length || e.clipboardData!.types.includes('text/plain')) return;
    e.preventDefault();
    add(files);
  };
  return { add, onPaste, over };
}

function nameOf(file: File): string {
  if (file.name && file.name !== PASTED) return file.name;
  const now = new Date();
  const two = (n: number): string => `${n}`.padStart(2, '0');
  const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join('');
  return `${t('pastedPicture')} ${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())} ${time}.png`;
}
