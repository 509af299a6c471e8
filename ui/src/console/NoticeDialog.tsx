/** How the agent is called back: sounds, notices of the system, quiet. Loaded when it is opened. */
import { useEffect } from 'preact/hooks';
import { t } from '../i18n/console';
import type { AgentClient } from '../model';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { useSignal } from '../ui/signals';
import { canNotify, mayNotify } from './notices/desktop';
import { joinPush, leavePush, pushState } from './notices/push';
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

/** Only where the server and the browser can: most who have it closed have a phone. */
function Push({ client }: { client: AgentClient }) {
  const { notices, acts, toasts } = useConsole();
  const here = useSignal(false);
  useEffect(() => {
    pushState(client).then(
      (state) => (here.value = state === 'here'),
      () => undefined,
    );
  }, []);
  if (!here.value) return null;
  const change = async (on: boolean) => {
    try {
      if (on && (await Notification.requestPermission()) !== 'granted')
        return toasts.show(() => t('noticeDenied'), 'error');
      await (on ? joinPush : leavePush)(client, notices);
    } catch {
      toasts.show(() => t('noticePushFailed'), 'error');
    }
  };
  return (
    <fieldset class="c-choices">
      <legend>{t('noticePushTitle')}</legend>
      <label class="c-choice">
        <input
          type="checkbox"
          checked={notices.push.value}
          disabled={acts.isBusy('push')}
          onChange={(e) => {
            const on = e.currentTarget.checked;
            // it shows what is so, not what was asked for
            e.currentTarget.checked = notices.push.peek();
            void acts.once('push', () => change(on));
          }}
        />
        <span>
          {t('noticePush')}
          <span class="k-hint">{t('noticePushHint')}</span>
        </span>
      </label>
    </fieldset>
  );
}

export function NoticeDialog({ client, onClose }: { client: AgentClient; onClose: () => void }) {
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
      <Push client={client} />
    </Dialog>
  );
}
