/** The Worker side of `opaque.ts`. Passwords come in, nothing stays. */
import type { OpaqueCall } from './opaque';
import { opaqueStep } from './opaque-step';

self.onmessage = async ({ data }: MessageEvent<{ id: number; call: OpaqueCall }>) => {
  try {
    self.postMessage({ id: data.id, result: await opaqueStep(data.call) });
  } catch (e) {
    self.postMessage({ id: data.id, error: String(e) });
  }
};
