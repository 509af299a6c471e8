/**
 * A picture in a thread: its place is kept from the start, its thumbnail is there at once, and the picture itself while it is on screen.
 * Drawn into a canvas: no address of it is ever in the page.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import { clear, decode, look, paint, thumbnail, within } from '../files/draw';
import { plainName, sizeText } from '../files/names';
import { t } from '../i18n/files';
import type { Message, ThreadFiles } from '../model';
import { BOX, type FileActs } from './FileSlot';
import { useLoad } from './useLoad';

/** A sliver is as large as a finger. */
const LEAST = 48;
/** Larger ones are fetched when they are asked for. */
const BY_ITSELF = 8 * 2 ** 20;
/** Fetched this far before they come into view. */
const MARGIN = '200px';

interface PictureProps {
  m: Message;
  files: ThreadFiles;
  acts: { readonly current: FileActs };
  /** It is no picture, or one that nobody should decode. */
  onNone: () => void;
}

export function Picture({ m, files, acts, onNone }: PictureProps) {
  const { w = 1, h = 1, thumb, size, name } = m.file!;
  const box = useRef<HTMLButtonElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const seen = useSeen(box);
  const [here, setHere] = useState(false);
  const load = useLoad(files, m.id);
  const shown = within({ w, h }, BOX);

  useEffect(() => {
    if (!seen) return;
    let over = false;
    const draw = (bitmap: ImageBitmap): void => {
      const dense = Math.min(window.devicePixelRatio || 1, 2);
      if (!over && canvas.current)
        paint(
          canvas.current,
          bitmap,
          within({ w: bitmap.width, h: bitmap.height }, { w: BOX.w * dense, h: BOX.h * dense }),
        );
      bitmap.close();
    };
    const whole = async (): Promise<void> => {
      const blob = await load.start();
      if (!blob || over) return;
      const kind = await look(blob);
      const bitmap = kind.is === 'picture' && (await decode(blob, kind.type).catch(() => null));
      if (!bitmap) return over ? undefined : onNone();
      draw(bitmap);
      setHere(!over);
    };
    void (thumb ? thumbnail(thumb) : Promise.resolve(null)).then((bitmap) => {
      if (bitmap) draw(bitmap);
      // what is on its way out is here already
      if (!over && size <= BY_ITSELF) void whole();
    });
    return () => {
      over = true;
      load.stop();
      clear(canvas.current);
      setHere(false);
    };
  }, [seen, m.id]);

  const label = `${t('openPicture')}: ${plainName(name)}`;
  return (
    <button
      ref={box}
      type="button"
      class={`k-picture${here ? '' : ' k-blur'}`}
      style={{ width: `${Math.max(shown.w, LEAST)}px`, aspectRatio: `${shown.w} / ${Math.max(shown.h, LEAST)}` }}
      aria-label={label}
      title={label}
      onClick={() => acts.current.view(m.id)}
    >
      <canvas ref={canvas} width={0} height={0} aria-hidden="true" />
      {!here && load.share === null && size > BY_ITSELF && <span class="k-over">{sizeText(size)}</span>}
      {load.share !== null && load.share > 0 && load.share < 1 && (
        <span class="k-over">{Math.floor(load.share * 100)}%</span>
      )}
      {load.error && (
        <span class="k-over" role="alert">
          {t('notLoaded')}
        </span>
      )}
    </button>
  );
}

/** Whether it is on screen, or nearly. */
function useSeen(of: { readonly current: Element | null }): boolean {
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    if (!of.current) return;
    const root = of.current.closest('.k-list');
    const watch = new IntersectionObserver((all) => setSeen(all[all.length - 1]!.isIntersecting), {
      root,
      rootMargin: MARGIN,
    });
    watch.observe(of.current);
    return () => watch.disconnect();
  }, []);
  return seen;
}
