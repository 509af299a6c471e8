/** Calls the agent back to the tab: count in the title, dot on the icon, and, if wished, a short tone. */
import { effect } from '../signals';
import iconFile from './icons/icon.svg?url&no-inline';
import iconNewFile from './icons/icon-new.svg?url&no-inline';
import { t } from '../i18n/console';
import type { AgentClient } from '../model';
import type { ConsoleState } from './state';

/** What waits for this agent: unread of their conversations, and offers. */
export function waitingFor(client: AgentClient): number {
  if (client.session.value !== 'signed-in') return 0;
  const unread = client.conversations.value.reduce((sum, item) => sum + (item.tabs.mine ? item.unread : 0), 0);
  return unread + client.offers.value.length;
}

export function watchAttention(state: ConsoleState, client: AgentClient): () => void {
  const chime = createChime();
  let before = -1;
  return effect(() => {
    const n = waitingFor(client);
    document.title = `${n ? `(${n > 99 ? '99+' : n}) ` : ''}kefu · ${t('app')}`;
    const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
    const href = n ? iconNewFile : iconFile;
    if (link && link.getAttribute('href') !== href) link.setAttribute('href', href);
    // Not for what was there already when the page came.
    if (before >= 0 && n > before && state.sound.peek()) chime();
    before = client.session.value === 'signed-in' ? n : -1;
  });
}

/** Two soft notes; at most every 2 s, so that what gathered while the machine slept rings once. */
function createChime(): () => void {
  let audio: AudioContext | undefined;
  let last = 0;
  return () => {
    if (Date.now() - last < 2_000) return;
    last = Date.now();
    audio ??= new AudioContext();
    for (const [i, hz] of [660, 880].entries()) {
      const tone = audio.createOscillator();
      const gain = audio.createGain();
      const at = audio.currentTime + i * 0.14;
      tone.frequency.value = hz;
      gain.gain.setValueAtTime(0, at);
      gain.gain.linearRampToValueAtTime(0.12, at + 0.02);
      gain.gain.exponentialRampToValueAtTime(0.001, at + 0.35);
      tone.connect(gain).connect(audio.destination);
      tone.start(at);
      tone.stop(at + 0.4);
    }
  };
}
