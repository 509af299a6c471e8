/** Whether voice messages can be recorded here, and how. */

/** In the order in which most browsers play them. */
const TYPES = ['audio/mp4', 'audio/webm;codecs=opus', 'audio/ogg;codecs=opus', 'audio/webm'];
/** It ends by itself after this, seconds. */
export const LONGEST = 300;

/** Pages over plain http have no microphone. */
export const canRecord = (): boolean =>
  typeof MediaRecorder !== 'undefined' && !!navigator.mediaDevices?.getUserMedia && !!typeOf();

export const typeOf = (): string | undefined => TYPES.find((type) => MediaRecorder.isTypeSupported(type));
