/** The place of a file in a thread, as large as it will be, until what shows files is fetched. */
import { t } from '../i18n/shared';
import type { ErrorKey, Message, ThreadFiles } from '../model';
import { makePart } from '../part';
import { PartFailed } from './PartFailed';
import { usePart } from './usePart';

export interface FileActs {
  files: ThreadFiles | undefined;
  errorOf: (key: ErrorKey) => string;
  /** Opens a picture above everything. */
  view: (id: string) => void;
}

export const fileParts = makePart(() => import('./FileParts'));

/** Of a picture in a thread, px. */
export const BOX = { w: 240, h: 280 };

export function FileSlot({ m, acts }: { m: Message; acts: { readonly current: Partial<FileActs> } }) {
  const parts = usePart(fileParts);
  const { files, errorOf, view } = acts.current;
  if (!files || !errorOf || !view) return null;
  if (parts) return <parts.FileBubble m={m} acts={{ current: { files, errorOf, view } }} />;
  const { w, h } = m.file!;
  const scale = w && h ? Math.min(1, BOX.w / w, BOX.h / h) : 0;
  return (
    <div class="k-file">
      <div class="k-card" style={scale ? { width: `${w! * scale}px`, aspectRatio: `${w} / ${h}` } : undefined}>
        {!fileParts.failed.value && (
          <>
            <span class="k-spin" aria-hidden="true" />{' '}
            {t(w ? 'picture' : m.file!.secs === undefined ? 'file' : 'voice')}
          </>
        )}
        <PartFailed part={fileParts} />
      </div>
    </div>
  );
}
