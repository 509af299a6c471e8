/** Shows until when something must wait. Counts down by seconds in the last minute; screen readers announce it once. */
import { useEffect, useState } from 'preact/hooks';
import { waitText, type Then } from '../i18n/wait';
import type { Wait } from '../model';
import { Banner } from './Banner';
import * as icon from './icons';

const MINUTE = 60_000;

export function WaitBanner({ wait, then }: { wait: Wait; then: Then }) {
  const [now, setNow] = useState(Date.now());
  const [first, setFirst] = useState(now);
  useEffect(() => setFirst(Date.now()), [wait]);
  useEffect(() => {
    const left = wait.until - Date.now();
    if (left <= 0) return;
    // at the next full second, or as soon as seconds are counted
    const ms = left < MINUTE ? left % 1_000 || 1_000 : Math.min(left - MINUTE, MINUTE / 2) + 1;
    const timer = setTimeout(() => setNow(Date.now()), ms);
    return () => clearTimeout(timer);
  }, [wait, now]);
  return (
    <Banner kind="warn" icon={icon.alert}>
      <span aria-hidden="true">{waitText(wait, then, now)}</span>
      <span class="k-sr">{waitText(wait, then, first)}</span>
    </Banner>
  );
}
