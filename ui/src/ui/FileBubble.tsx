/** A file in a thread: a picture, something to play, or a card to save it with; and, while it is on its way, how far it is. */
import { useState } from 'preact/hooks';
import { look } from '../files/draw';
import { endingOf, plainName, sizeText } from '../files/names';
import { endsRisky } from '../files/kinds';
import { save } from '../files/save';
import { t } from '../i18n/files';
import { waitText } from '../i18n/wait';
import type { FileInfo, Message, ThreadFiles, Upload } from '../model';
import { FileName } from './FileName';
import type { FileActs } from './FileSlot';
import { Icon } from './Icon';
import { Player } from './Player';
import { Picture } from './Picture';
import { now } from './time';
import { useLoad } from './useLoad';
import * as icon from './icons';

/** What may be played; whether it is that, its bytes tell. */
const PLAYED = ['mp3', 'm4a', 'ogg', 'oga', 'opus', 'webm', 'wav', 'mp4', 'mov'];

interface BubbleProps {
  m: Message;
  acts: { readonly current: FileActs & { files: ThreadFiles } };
}

export function FileBubble({ m, acts }: BubbleProps) {
  const file = m.file!;
  const { files } = acts.current;
  /** It says that it is a picture, and is none that can be shown. */
  const [none, setNone] = useState(false);
  const upload = m.state === 'queued' ? files.upload(m.id) : null;
  const playable = file.secs !== undefined || PLAYED.includes(endingOf(file.name).toLowerCase());
  return (
    <div class="k-file">
      {file.w && file.h && !none ? (
        <Picture m={m} files={files} acts={acts} onNone={() => setNone(true)} />
      ) : playable && !upload && !none ? (
        <Player m={m} files={files} acts={acts} onNone={() => setNone(true)} />
      ) : (
        <Card m={m} file={file} files={files} acts={acts} fixed={m.state === 'queued' || m.state === 'failed'} />
      )}
      {upload && <Progress upload={upload.value} id={m.id} files={files} />}
    </div>
  );
}

interface CardProps {
  m: Message;
  file: FileInfo;
  files: ThreadFiles;
  acts: { readonly current: FileActs };
  /** It is on its way out: nothing to save. */
  fixed: boolean;
}

function Card({ m, file, files, acts, fixed }: CardProps) {
  const load = useLoad(files, m.id);
  // by its name, and once it is here by its bytes
  const [risky, setRisky] = useState(() => endsRisky(endingOf(file.name)));
  const [kept, setKept] = useState<Blob | null>(null);
  const fetch = async () => {
    const blob = await load.start();
    if (!blob) return;
    const kind = await look(blob);
    // what only its bytes tell is told before it is saved
    if (kind.is === 'other' && kind.risky && !risky) {
      setRisky(true);
      setKept(blob);
    } else save(blob, file.name);
  };
  const label = t(kept ? 'saveAnyway' : 'download');
  return (
    <>
      <div class="k-card">
        <Icon d={icon.file} size={24} />
        <span class="k-grow">
          <FileName name={file.name} />
          <small>
            {load.share === null ? sizeText(file.size) : t('downloading', { n: Math.floor(load.share * 100) })}
          </small>
        </span>
        {!fixed && (
          <button
            type="button"
            class="k-iconbtn"
            aria-label={`${label} ${plainName(file.name)}`}
            title={load.share === null ? label : t('cancel')}
            onClick={() => (load.share !== null ? load.stop() : kept ? save(kept, file.name) : void fetch())}
          >
            <Icon d={load.share === null ? icon.save : icon.close} />
          </button>
        )}
      </div>
      {load.share !== null && <progress value={load.share} aria-label={t('download')} />}
      {risky && !m.mine && <p class="k-risky">{t('risky')}</p>}
      {load.error && (
        <p class="k-risky" role="alert">
          {acts.current.errorOf(load.error)}
        </p>
      )}
    </>
  );
}

function Progress({ upload, id, files }: { upload: Upload; id: string; files: ThreadFiles }) {
  const { state, sent, size, wait } = upload;
  const paused = state === 'paused';
  const text =
    state === 'done'
      ? t('uploadDone')
      : paused
        ? t('paused')
        : state === 'waiting'
          ? t('uploadWaits')
          : t('uploading', { n: Math.floor((sent / size) * 100) });
  return (
    <div class="k-upload">
      <progress value={sent / size} aria-label={text} />
      <span>{wait ? waitText(wait, 'asked', now.value) : text}</span>
      {state !== 'done' && (
        <>
          <button type="button" class="k-link" onClick={() => (paused ? files.resume(id) : files.pause(id))}>
            {t(paused ? 'resume' : 'pause')}
          </button>
          <button type="button" class="k-link" onClick={() => files.cancel(id)}>
            {t('cancelFile')}
          </button>
        </>
      )}
    </div>
  );
}
