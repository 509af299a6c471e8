/**
 * The pictures of a thread, one at a time, above everything: larger and smaller with wheel, keys and fingers, the next one with arrows and
 * swipes. Esc leads back to where it was opened.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import { clear, decode, look, paint, within } from '../files/draw';
import type { Size } from '../files/kinds';
import { save } from '../files/save';
import { t } from '../i18n/files';
import type { Message, ThreadFiles } from '../model';
import { IconButton } from './Button';
import { FileName } from './FileName';
import { useFocusTrap } from './focus';
import { useLoad } from './useLoad';
import { useZoom } from './useZoom';
import * as icon from './icons';

/** Pixels of a side that any browser has a canvas for. */
const SIDE = 4_096;

interface ViewerProps {
  messages: readonly Message[];
  /** The message whose picture is shown. */
  at: string;
  files: ThreadFiles;
  onMove: (id: string) => void;
  onClose: () => void;
}

export const isPicture = (m: Message): boolean => !!m.file?.w && m.state !== 'failed';

export function Viewer({ messages, at, files, onMove, onClose }: ViewerProps) {
  const trap = useFocusTrap<HTMLDivElement>(true, onClose);
  const canvas = useRef<HTMLCanvasElement>(null);
  const load = useLoad(files, at);
  const [blob, setBlob] = useState<Blob | null>(null);
  const [size, setSize] = useState<Size | null>(null);
  const [none, setNone] = useState(false);
  const pictures = messages.filter(isPicture);
  const index = pictures.findIndex((m) => m.id === at);
  const step = (by: number) => {
    const to = pictures[index + by];
    if (to) onMove(to.id);
  };
  const zoom = useZoom(trap, canvas, at, { swipe: step, close: onClose });

  // it was taken back meanwhile
  useEffect(() => {
    if (index < 0) onClose();
  }, [index < 0]);

  useEffect(() => {
    let over = false;
    setBlob(null);
    setSize(null);
    setNone(false);
    const show = async () => {
      const file = await load.start();
      if (!file || over) return;
      setBlob(file);
      const kind = await look(file);
      const bitmap = kind.is === 'picture' && (await decode(file, kind.type).catch(() => null));
      if (!bitmap) return over ? undefined : setNone(true);
      const pixels = within({ w: bitmap.width, h: bitmap.height }, { w: SIDE, h: SIDE });
      if (!over && canvas.current) {
        paint(canvas.current, bitmap, pixels);
        setSize(pixels);
      }
      bitmap.close();
    };
    void show();
    return () => {
      over = true;
      clear(canvas.current);
    };
  }, [at]);

  const onKey = (e: KeyboardEvent) => {
    // what is around it would move, close, or take the focus
    e.stopPropagation();
    if (e.isComposing || e.ctrlKey || e.metaKey || e.altKey) return;
    const act = {
      ArrowLeft: () => step(-1),
      ArrowRight: () => step(1),
      '+': () => zoom.by(1.5),
      '=': () => zoom.by(1.5),
      '-': () => zoom.by(1 / 1.5),
      '0': zoom.reset,
    }[e.key];
    if (!act) return;
    e.preventDefault();
    act();
  };

  const name = pictures[index]?.file?.name ?? '';
  return (
    <div
      ref={trap}
      class="k-viewer"
      role="dialog"
      aria-modal="true"
      aria-label={t('picture')}
      tabIndex={-1}
      onKeyDown={onKey}
    >
      <header>
        <span class="k-grow">
          <FileName name={name} />
        </span>
        <span aria-live="polite">{pictures.length > 1 && t('ofPictures', { n: index + 1, all: pictures.length })}</span>
        <IconButton icon={icon.minus} label={t('zoomOut')} onClick={() => zoom.by(1 / 1.5)} />
        <IconButton icon={icon.plus} label={t('zoomIn')} onClick={() => zoom.by(1.5)} />
        <IconButton icon={icon.save} label={t('download')} disabled={!blob} onClick={() => save(blob!, name)} />
        <IconButton icon={icon.close} label={t('close')} data-autofocus onClick={onClose} />
      </header>
      <div class="k-stage">
        <canvas
          ref={canvas}
          width={0}
          height={0}
          role="img"
          aria-label={t('picture')}
          style={size ? { maxWidth: `min(100%, ${size.w}px)`, maxHeight: `min(100%, ${size.h}px)` } : undefined}
        />
        {!size && (
          <p role="status">
            {none || load.error ? (
              t('notLoaded')
            ) : (
              <>
                <span class="k-spin" aria-hidden="true" />{' '}
                {load.share !== null && t('downloading', { n: Math.floor(load.share * 100) })}
              </>
            )}
          </p>
        )}
      </div>
      {index > 0 && (
        <span class="k-prev">
          <IconButton icon={icon.back} label={t('previous')} size={28} onClick={() => step(-1)} />
        </span>
      )}
      {index < pictures.length - 1 && (
        <span class="k-next">
          <IconButton icon={icon.next} label={t('next')} size={28} onClick={() => step(1)} />
        </span>
      )}
    </div>
  );
}
