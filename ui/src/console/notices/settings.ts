/** How this browser calls its agent back: kept on this machine, for whoever signs in here. */
import { signal, type Signal } from '../../signals';
import { store, stored } from '../settings';

export const TONES = ['chime', 'bell', 'knock'] as const;
export type Tone = (typeof TONES)[number];

const LOUDEST = 100;

const FLAGS = ['sound', 'repeat', 'desktop', 'content', 'quiet', 'push'] as const;
export type Flag = (typeof FLAGS)[number];

const flag = (key: Flag): boolean => stored(key) === 'on';
const tone = (): Tone => TONES.find((one) => one === stored('tone')) ?? 'chime';

function volume(): number {
  const kept = Number(stored('volume') ?? 60);
  return Number.isFinite(kept) ? Math.min(LOUDEST, Math.max(0, kept)) : 60;
}

export class NoticeSettings implements Record<Flag, Signal<boolean>> {
  readonly sound = signal(flag('sound'));
  readonly tone = signal(tone());
  /** 0 to 100. */
  readonly volume = signal(volume());
  /** The sound comes again until everything was answered. */
  readonly repeat = signal(flag('repeat'));
  /** Notices of the system. The browser asks for leave, once a person has switched them on. */
  readonly desktop = signal(flag('desktop'));
  /** They show who wrote, and the words. Others may look at this screen. */
  readonly content = signal(flag('content'));
  /** No sound and no notice of the system; title and icon still count. */
  readonly quiet = signal(flag('quiet'));
  /** This browser is woken while the console is closed. */
  readonly push = signal(flag('push'));

  set(key: Flag, on: boolean): void {
    this[key].value = on;
    store(key, on ? 'on' : 'off');
  }

  setTone(to: Tone): void {
    this.tone.value = to;
    store('tone', to);
  }

  setVolume(to: number): void {
    this.volume.value = to;
    store('volume', String(to));
  }

  /** What is chosen in one tab holds in all: another may be the one that rings. Returns how to stop. */
  follow(): () => void {
    const again = () => {
      for (const key of FLAGS) this[key].value = flag(key);
      this.tone.value = tone();
      this.volume.value = volume();
    };
    globalThis.addEventListener?.('storage', again);
    return () => globalThis.removeEventListener?.('storage', again);
  }
}
