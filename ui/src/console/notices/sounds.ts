/** The tones, made here: no file is loaded. */
import type { Tone } from './settings';

/** A sound at most this often, ms: what gathered while the machine slept rings once. */
const PAUSE_MS = 2_000;

/** Begin and length in seconds, pitch in Hz. */
const NOTES: Record<Tone, { wave: OscillatorType; notes: readonly (readonly [number, number, number])[] }> = {
  chime: {
    wave: 'sine',
    notes: [
      [0, 0.4, 660],
      [0.14, 0.4, 880],
    ],
  },
  bell: {
    wave: 'triangle',
    notes: [
      [0, 0.9, 1_046],
      [0, 0.7, 1_568],
    ],
  },
  knock: {
    wave: 'square',
    notes: [
      [0, 0.09, 180],
      [0.16, 0.09, 180],
      [0.32, 0.09, 180],
    ],
  },
};

export interface Sounds {
  /** `volume`: 0 to 100. */
  ring(tone: Tone, volume: number): void;
}

/** `again`: rings however lately it did, for who chooses a tone. */
export function createSounds(again = false): Sounds {
  let audio: AudioContext | undefined;
  let last = 0;
  return {
    ring(tone, volume) {
      if (!again && Date.now() - last < PAUSE_MS) return;
      last = Date.now();
      audio ??= new AudioContext();
      // a page that nobody has touched may not sound; once somebody has, it may
      if (audio.state === 'suspended') void audio.resume().catch(() => undefined);
      const { wave, notes } = NOTES[tone];
      // ears hear powers
      const loud = 0.35 * (volume / 100) ** 2;
      for (const [from, length, hz] of notes) {
        const voice = audio.createOscillator();
        const gain = audio.createGain();
        const at = audio.currentTime + from;
        voice.type = wave;
        voice.frequency.value = hz;
        gain.gain.setValueAtTime(0, at);
        gain.gain.linearRampToValueAtTime(loud, at + 0.02);
        gain.gain.exponentialRampToValueAtTime(0.0001, at + length);
        voice.connect(gain).connect(audio.destination);
        voice.start(at);
        voice.stop(at + length + 0.05);
      }
    },
  };
}
