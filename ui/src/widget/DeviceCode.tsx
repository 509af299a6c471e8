/** A link to the history on this device, as a code to scan and as an address to copy. Drawn here: nobody else is asked for it. */
import { encode } from 'uqr';
import { useEffect, useRef } from 'preact/hooks';
import type { VisitorClient } from '../model';
import { t } from '../i18n/widget';
import { t as shared } from '../i18n/shared';
import { Button } from '../ui/Button';
import { useSignal } from '../ui/signals';
import { DEVICE } from './settings';

interface CodeProps {
  client: VisitorClient;
  onClose: () => void;
}

/** Light modules around the code, which scanners need. */
const MARGIN = 4;

/** Its dark modules as one path, and how many there are on a side. */
export function codePath(text: string): { path: string; size: number } {
  const { data, size } = encode(text, { ecc: 'M', border: MARGIN });
  let path = '';
  data.forEach((row, y) =>
    row.forEach((dark, x) => {
      if (dark) path += `M${x} ${y}h1v1h-1z`;
    }),
  );
  return { path, size };
}

export function DeviceCode({ client, onClose }: CodeProps) {
  const link = useSignal<string | null>(null);
  const failed = useSignal(false);
  const copied = useSignal(false);
  const make = () => {
    failed.value = false;
    client.handOver().then(
      (secret) => (link.value = location.origin + location.pathname + location.search + DEVICE + secret),
      (e: unknown) => {
        console.error('kefu:', e);
        failed.value = true;
      },
    );
  };
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus();
    make();
  }, []);
  const copy = () =>
    navigator.clipboard?.writeText(link.value!).then(
      () => (copied.value = true),
      () => undefined,
    );
  return (
    <div class="w-device">
      <h2 tabIndex={-1} ref={heading}>
        {t('otherDevice')}
      </h2>
      <p>{t('deviceHow')}</p>
      {link.value !== null && <Code text={link.value} />}
      {link.value !== null && (
        <>
          <input
            class="k-input"
            readOnly
            aria-label={t('deviceLink')}
            value={link.value}
            onFocus={(e) => e.currentTarget.select()}
          />
          <p class="k-hint">{t('deviceOnce')}</p>
        </>
      )}
      {link.value === null && !failed.value && <span class="k-spin" role="status" aria-label={t('connecting')} />}
      {failed.value && (
        <p class="k-error" role="alert">
          {t('deviceNotMade')}
        </p>
      )}
      <div class="w-device-acts">
        <Button size="sm" onClick={onClose}>
          {shared('back')}
        </Button>
        {failed.value && (
          <Button size="sm" kind="primary" onClick={make}>
            {shared('retry')}
          </Button>
        )}
        {link.value !== null && 'clipboard' in navigator && (
          <Button size="sm" kind="primary" onClick={copy}>
            {t(copied.value ? 'deviceCopied' : 'deviceCopy')}
          </Button>
        )}
      </div>
    </div>
  );
}

function Code({ text }: { text: string }) {
  const { path, size } = codePath(text);
  return (
    <svg
      class="w-code"
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label={t('deviceCode')}
      shape-rendering="crispEdges"
    >
      <path d={`M0 0h${size}v${size}h-${size}z`} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
