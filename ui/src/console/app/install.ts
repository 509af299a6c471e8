/** Makes the console an app that can be installed: its service worker. Where there can be none, the console is a page as before. */
export function registerShell(): void {
  if (!globalThis.isSecureContext || !('serviceWorker' in navigator)) return;
  const register = () =>
    // Blocked by the browser, or the server is gone: nothing is lost but the app.
    void navigator.serviceWorker.register('sw.js', { scope: './', updateViaCache: 'none' }).catch(() => undefined);
  // After what the page itself needs.
  if (document.readyState === 'complete') register();
  else window.addEventListener('load', register, { once: true });
}
