/**
 * Loads the panel: a script element with the hash that was compiled into this file, so that the pin of the snippet covers both. Not
 * `import()`, which integrity does not cover.
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

/** The panel lies beside the launcher; without a tag, where the server keeps all of them. */
export function panelAddress(own: HTMLScriptElement | null, server: string): string {
  return new URL(__PANEL_FILE__, own?.src ? own.src : `${server}/w/latest/`).href;
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

/** Rejects with `Forbidden` where the page's policy is the reason, which is said in the browser's console. */
export async function loadPanel(own: HTMLScriptElement | null, server: string, into: Node): Promise<StartPanel> {
  const address = panelAddress(own, server);
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
  script.integrity = __PANEL_INTEGRITY__;
  script.crossOrigin = 'anonymous';
  script.async = true;
  if (own?.nonce) script.nonce = own.nonce;
  try {
    try {
      setSource(script, address);
    } catch {
      throw forbidden(`allow the policy of that name: trusted-types kefu`);
    }
    const start = await new Promise<StartPanel | null>((done) => {
      script.onload = () => done(takePanel());
      script.onerror = () => setTimeout(() => done(null), REPORT_MS);
      into.appendChild(script);
    });
    if (!start && refused) throw forbidden(`add to its script-src: ${origin}`);
    if (!start) throw new Error(`${address} could not be loaded, or is not what was built with this file`);
    return start;
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
