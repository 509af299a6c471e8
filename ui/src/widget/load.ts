/**
 * Loads the panel, and later its third file: script elements with the hashes that were compiled into this file and into the panel, so that
 * the pin of the snippet covers all. Not `import()`, which integrity does not cover.
 */
import { takePanel, type StartPanel } from './contract';

/** Of the panel that was built with this launcher: its name beside it, and its hash. `build/build.mjs` fills them in. */
declare const __PANEL_FILE__: string;
declare const __PANEL_INTEGRITY__: string;

/** Browsers report what a policy refused in a task of its own, which may come after the failure; ms. */
const REPORT_MS = 100;

/** The page's own policy does not let it load. */
export class Forbidden extends Error {}

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

/** Where files are loaded from, and into. */
export interface Place {
  /** The launcher's tag. */
  own: HTMLScriptElement | null;
  server: string;
  into: Node;
}

let policy: ReturnType<TrustedTypes['createPolicy']> | null = null;

/** As a script address of a policy of ours, where the page allows one; as a plain one where that is enough. */
function setSource(script: HTMLScriptElement, address: string): void {
  const types = (window as { trustedTypes?: TrustedTypes }).trustedTypes;
  try {
    policy ??= types?.createPolicy('kefu', { createScriptURL: (url) => url }) ?? null;
  } catch {
    // not allowed, which does not matter unless the page requires one
  }
  script.src = policy ? policy.createScriptURL(address) : address;
}

export const loadPanel = (place: Place): Promise<StartPanel> =>
  loadScript(place, __PANEL_FILE__, __PANEL_INTEGRITY__, takePanel);

/**
 * A file beside the launcher; without a tag, where the server keeps all of them. `take`: what the file leaves. Rejects with `Forbidden` where
 * the page's policy is the reason, which is said in the browser's console.
 */
export async function loadScript<T>(
  { own, server, into }: Place,
  file: string,
  integrity: string,
  take: () => T | null,
): Promise<T> {
  const address = new URL(file, own?.src ? own.src : `${server}/w/latest/`).href;
  const { host, origin } = new URL(address);
  let refused = false;
  const onViolation = (e: SecurityPolicyViolationEvent) => {
    // what is only reported was let through
    if (e.disposition !== 'enforce' || !e.effectiveDirective.startsWith('script-src')) return;
    try {
      refused ||= new URL(e.blockedURI).host === host;
    } catch {
      // no address
    }
  };
  document.addEventListener('securitypolicyviolation', onViolation);
  const script = document.createElement('script');
  script.integrity = integrity;
  script.crossOrigin = 'anonymous';
  script.async = true;
  if (own?.nonce) script.nonce = own.nonce;
  try {
    try {
      setSource(script, address);
    } catch {
      throw forbidden(`allow the policy of that name: trusted-types kefu`);
    }
    const left = await new Promise<T | null>((done) => {
      script.onload = () => done(take());
      script.onerror = () => setTimeout(() => done(null), REPORT_MS);
      into.appendChild(script);
    });
    if (!left && refused) throw forbidden(`add to its script-src: ${origin}`);
    if (!left) throw new Error(`${address} could not be loaded, or is not what was built with this file`);
    return left;
  } finally {
    script.remove();
    document.removeEventListener('securitypolicyviolation', onViolation);
  }
}

function forbidden(cure: string): Forbidden {
  const text = `the security policy of this page does not let the chat load; ${cure}; or paste the widget as one file (kefu site snippet --single)`;
  console.error(`kefu: ${text}`);
  return new Forbidden(text);
}
