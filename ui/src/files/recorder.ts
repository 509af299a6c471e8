/** Records a voice message, where the browser and the page's policy let it. */
import type { Picked } from '../model';
import { LONGEST, typeOf } from './microphone';

const ENDING: Record<string, string> = { 'audio/mp4': 'm4a', 'audio/webm': 'webm', 'audio/ogg': 'ogg' };
/** What is shorter was pressed by mistake, ms. */
const SHORTEST_MS = 700;
/** A few words a second need no more. */
const BITS = 32_000;

export interface Recording {
  /** When it began, ms. */
  readonly since: number;
  /** Null if it was too short, or nothing was heard. */
  end(): Promise<Picked | null>;
  cancel(): void;
}

/** Rejects if the person, the page or the device does not let it. `name`: what it is to be called, without its ending. */
export async function record(name: string): Promise<Recording> {
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: { echoCancellation: true, noiseSuppression: true },
  });
  const silence = (): void => stream.getTracks().forEach((track) => track.stop());
  try {
    const type = typeOf();
    const recorder = new MediaRecorder(stream, { mimeType: type, audioBitsPerSecond: BITS });
    const pieces: Blob[] = [];
    recorder.ondataavailable = (e) => pieces.push(e.data);
    const ended = new Promise<void>((done) => (recorder.onstop = () => done()));
    // a device that is unplugged ends it, too
    recorder.onerror = () => recorder.state !== 'inactive' && recorder.stop();
    recorder.start(1_000);
    const since = Date.now();
    const stop = (): void => {
      if (recorder.state !== 'inactive') recorder.stop();
      silence();
    };
    return {
      since,
      cancel: stop,
      async end() {
        const ms = Date.now() - since;
        stop();
        await ended;
        const plain = (recorder.mimeType || type!).replace(/;.*/, '');
        const blob = new Blob(pieces, { type: plain });
        if (ms < SHORTEST_MS || !blob.size) return null;
        const secs = Math.min(LONGEST, Math.max(1, Math.round(ms / 1_000)));
        return { blob, type: plain, name: `${name}.${ENDING[plain] ?? 'webm'}`, secs };
      },
    };
  } catch (e) {
    silence();
    throw e;
  }
}
