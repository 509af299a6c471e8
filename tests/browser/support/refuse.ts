/** Plays a server that refuses what a visitor writes. */
import type { Page, WebSocketRoute } from '@playwright/test';
import type { Stage } from './test';

/** Refuses this visitor's messages with an error, as the server would, while `refusing` is on. */
export async function refuseMessages(
  stage: Stage,
  page: Page,
  error: { code: number },
): Promise<{ refusing: boolean }> {
  const what = { refusing: true };
  await page.routeWebSocket(`${stage.kefu.origin.replace(/^http/, 'ws')}/**`, (ws: WebSocketRoute) => {
    const server = ws.connectToServer();
    ws.onMessage((m) => {
      const text = typeof m !== 'string' && m[0] === 0x4b && m[1] === 0x31 && m[2] === 1;
      if (!what.refusing || !text) return server.send(m);
      ws.send(
        JSON.stringify({
          t: 'error',
          text: '',
          ...error,
          conv: m.subarray(4, 20).toString('hex'),
          msg: m.subarray(40, 56).toString('hex'),
        }),
      );
    });
  });
  return what;
}
