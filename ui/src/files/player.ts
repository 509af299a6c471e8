/**
 * Plays a stranger's sound or film where it can reach nothing: in a frame of its own, without this page's origin. The frame is given the
 * bytes by message, and makes its own address of them. Where the page's policy does not let the frame run this script, nothing
 * answers, and the file is saved instead.
 */

/** Its hash is in the console's policy (`PAGE_POLICY` in `answer.rs`): `tests/ui/player.test.ts` prints it. */
export const PLAYER =
  "onmessage=function(e){var m=document.createElement(e.data.video?'video':'audio');m.controls=true;" +
  "m.style.cssText='display:block;width:100%;height:100vh';document.body.style.margin=0;" +
  "m.onloadedmetadata=function(){parent.postMessage({kefu:'plays',w:m.videoWidth|0,h:m.videoHeight|0},'*')};" +
  "m.onerror=function(){parent.postMessage({kefu:'fails'},'*')};" +
  'm.src=URL.createObjectURL(e.data.blob);document.body.appendChild(m);m.play().catch(function(){})};' +
  "parent.postMessage({kefu:'ready'},'*')";

const PLAYER_PAGE = `<!doctype html><body><script>${PLAYER}</script>`;

/** A frame that does not answer runs nothing, ms. */
const SILENT_MS = 4_000;

export interface Playing {
  /** It plays; pixels of a film. */
  plays(w: number, h: number): void;
  fails(): void;
}

/** Returns how to stop listening. `type`: what the bytes are, not what their sender says. */
export function playIn(frame: HTMLIFrameElement, file: Blob, type: string, to: Playing): () => void {
  const timer = setTimeout(() => to.fails(), SILENT_MS);
  const heard = (e: MessageEvent): void => {
    if (e.source !== frame.contentWindow) return;
    const said = e.data as { kefu?: unknown; w?: unknown; h?: unknown } | null;
    if (said?.kefu === 'ready') {
      const video = type.startsWith('video');
      frame.contentWindow?.postMessage({ video, blob: file.slice(0, file.size, type) }, '*');
    } else clearTimeout(timer);
    if (said?.kefu === 'plays') to.plays(Number(said.w) || 0, Number(said.h) || 0);
    if (said?.kefu === 'fails') to.fails();
  };
  addEventListener('message', heard);
  try {
    frame.srcdoc = PLAYER_PAGE;
  } catch {
    // a page that lets nobody write pages
    to.fails();
  }
  return () => {
    clearTimeout(timer);
    removeEventListener('message', heard);
  };
}
