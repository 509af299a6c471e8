/** How the agent is called back: sounds, notices of the system, quiet. Loaded when it is opened. */
import { t } from '../i18n/console';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { useSignal } from '../ui/signals';
import { canNotify, mayNotify } from './notices/desktop';
import { TONES, type Flag } from './notices/settings';
import { createSounds } from './notices/sounds';
import { useConsole } from './useConsole';

const sounds = createSounds(true);

function Switch({ of, label, hint }: { of: Flag; label: string; hint?: string }) {
  const { notices } = useConsole();
  return (
    <label class="c-choice">
      <input type="checkbox" checked={notices[of].value} onChange={(e) => notices.set(of, e.currentTarget.checked)} />
      <span>
        {label}
        {hint && <span class="k-hint">{hint}</span>}
      </span>
    </label>
  );
}

/** The browser asks for leave only when a person has pressed this. */
function Desktop() {
  const { notices } = useConsole();
  const leave = useSignal(canNotify() ? Notification.permission : 'unsupported');
  const ask = async () => {
    leave.value = await Notification.requestPermission();
    if (mayNotify()) notices.set('desktop', true);
  };
  return (
    <fieldset class="c-choices">
      <legend>{t('noticeDesktop')}</legend>
      {leave.value === 'granted' ? (
        <>
          <Switch of="desktop" label={t('noticeDesktopOn')} hint={t('noticeDesktopHint')} />
          {notices.desktop.value && <Switch of="content" label={t('noticeContent')} hint={t('noticeContentHint')} />}
        </>
      ) : leave.value === 'default' ? (
        <div class="c-choice">
          <Button onClick={() => void ask()}>{t('noticeAllow')}</Button>
        </div>
      ) : (
        <p class="k-hint">{t(leave.value === 'denied' ? 'noticeDenied' : 'noticeUnsupported')}</p>
      )}
    </fieldset>
  );
}

export function NoticeDialog({ onClose }: { onClose: () => void }) {
  const { notices } = useConsole();
  const play = () => sounds.ring(notices.tone.peek(), notices.volume.peek());
  return (
    <Dialog title={t('notices')} onClose={onClose}>
      <fieldset class="c-choices">
        <legend>{t('noticeQuietTitle')}</legend>
        <Switch of="quiet" label={t('quiet')} hint={t('quietHint')} />
      </fieldset>
      <fieldset class="c-choices">
        <legend>{t('noticeSound')}</legend>
        <Switch of="sound" label={t('noticeSoundOn')} />
        {notices.sound.value && (
          <>
            <div class="c-tones" role="radiogroup" aria-label={t('noticeTone')}>
              {TONES.map((tone) => (
                <label key={tone} class="c-choice">
                  <input
                    type="radio"
                    name="tone"
                    checked={notices.tone.value === tone}
                    onChange={() => {
                      notices.setTone(tone);
                      play();
                    }}
                  />
                  {t(`tone.${tone}`)}
                </label>
              ))}
            </div>
            <label class="c-choice">
              {t('noticeVolume')}
              <input
                class="k-grow"
                type="range"
                min="0"
                max="100"
                step="10"
                value={notices.volume.value}
                onChange={(e) => {
                  notices.setVolume(Number(e.currentTarget.value));
                  play();
                }}
              />
            </label>
            <Switch of="repeat" label={t('noticeRepeat')} />
          </>
        )}
      </fieldset>
      <Desktop />
    </Dialog>
  );
}
