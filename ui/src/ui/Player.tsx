/** A sound or a film in a thread, fetched when it is to be played. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { look } from '../files/draw';
import { plainName, sizeText } from '../files/names';
import { playIn } from '../files/player';
import { save } from '../files/save';
import { secondsText } from '../files/seconds';
import { t } from '../i18n/files';
import type { Message, ThreadFiles } from '../model';
import type { FileActs } from './FileSlot';
import { FileName } from './FileName';
import { Icon } from './Icon';
import { useLoad } from './useLoad';
import * as icon from './icons';

interface PlayerProps {
  m: Message;
  files: ThreadFiles;
  acts: { readonly current: FileActs };
  /** It is nothing that can be played. */
  onNone: () => void;
}

interface Media {
  blob: Blob;
  type: string;
}

export function Player({ m, files, acts, onNone }: PlayerProps) {
  const file = m.file!;
  const load = useLoad(files, m.id);
  const [media, setMedia] = useState<Media | null>(null);
  const [failed, setFailed] = useState(false);
  const play = async () => {
    const blob = await load.start();
    if (!blob) return;
    const kind = await look(blob);
    if (kind.is !== 'audio' && kind.is !== 'video') return onNone();
    // a voice note is sound, in whatever it is wrapped
    setMedia({ blob, type: file.secs === undefined ? kind.type : kind.type.replace('video', 'audio') });
  };
  const busy = load.share !== null;
  return (
    <>
      {media && !failed ? (
        <Frame media={media} name={plainName(file.name)} onFail={() => setFailed(true)} />
      ) : (
        <div class="k-card">
          <button
            type="button"
            class="k-iconbtn"
            aria-label={`${t(failed ? 'download' : 'play')} ${plainName(file.name)}`}
            title={t(busy ? 'cancel' : failed ? 'download' : 'play')}
            onClick={() => (busy ? load.stop() : failed ? save(media!.blob, file.name) : void play())}
          >
            <Icon d={busy ? icon.close : failed ? icon.save : icon.play} />
          </button>
          <span class="k-grow">
            {file.secs === undefined ? <FileName name={file.name} /> : t('voice')}
            <small>
              {busy
                ? t('downloading', { n: Math.floor(load.share! * 100) })
                : file.secs === undefined
                  ? sizeText(file.size)
                  : secondsText(file.secs)}
            </small>
          </span>
        </div>
      )}
      {media && !failed && (
        <button type="button" class="k-link" onClick={() => save(media.blob, file.name)}>
          {t('download')}
        </button>
      )}
      {failed && <p class="k-risky">{t('notPlayed')}</p>}
      {load.error && (
        <p class="k-risky" role="alert">
          {acts.current.errorOf(load.error)}
        </p>
      )}
    </>
  );
}

function Frame({ media, name, onFail }: { media: Media; name: string; onFail: () => void }) {
  const frame = useRef<HTMLIFrameElement>(null);
  const [shape, setShape] = useState('');
  const video = media.type.startsWith('video');
  useLayoutEffect(
    () =>
      playIn(frame.current!, media.blob, media.type, {
        plays: (w, h) => setShape(w && h ? `${w} / ${h}` : ''),
        fails: onFail,
      }),
    [media],
  );
  return (
    <iframe
      ref={frame}
      class={`k-player${video ? ' k-film' : ''}`}
      style={shape ? { aspectRatio: shape } : undefined}
      title={name}
      sandbox="allow-scripts"
      allow="fullscreen"
    />
  );
}
