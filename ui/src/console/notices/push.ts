/**
 * Web Push: this browser is woken while the console is closed. The message says nothing; the service worker shows that somebody waits.
 * Loaded when it is needed.
 */
import { unb64u } from '../../crypto/bytes';
import type { AgentClient } from '../../model';
import type { NoticeSettings } from './settings';

export type PushState = 'unsupported' | 'off' | 'here';

function worker(): Promise<ServiceWorkerRegistration | undefined> {
  if (!globalThis.isSecureContext || !('serviceWorker' in navigator) || !('PushManager' in globalThis))
    return Promise.resolve(undefined);
  return navigator.serviceWorker.getRegistration();
}

/** Whether it can be had: by this browser, and of this server. */
export async function pushState(client: AgentClient): Promise<PushState> {
  if (!(await worker())) return 'unsupported';
  return (await client.pushKey()) === null ? 'off' : 'here';
}

const same = (a: ArrayBuffer | null | undefined, b: Uint8Array): boolean =>
  !!a && a.byteLength === b.length && new Uint8Array(a).every((byte, n) => byte === b[n]);

/** Subscribes this browser, under the key that the server has now. */
export async function joinPush(client: AgentClient, settings: NoticeSettings): Promise<void> {
  const registration = await worker();
  const key = registration && (await client.pushKey());
  if (!key) throw new Error('no pushes here');
  const ours = new Uint8Array(unb64u(key));
  let subscription = await registration.pushManager.getSubscription();
  if (subscription && !same(subscription.options.applicationServerKey, ours)) {
    await subscription.unsubscribe();
    subscription = null;
  }
  subscription ??= await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: ours });
  await client.pushTo(subscription.toJSON());
  settings.set('push', true);
}

/** Ends it, here and at the server: whoever signs in next in this browser is somebody else. */
export async function leavePush(client: AgentClient, settings: NoticeSettings): Promise<void> {
  settings.set('push', false);
  const subscription = await (await worker())?.pushManager.getSubscription();
  if (!subscription) return;
  // One that the server still has, but not the browser, is forgotten when the push service says so.
  await client.pushNoMore(subscription.endpoint).catch(() => undefined);
  await subscription.unsubscribe();
}
