/** One honest sentence about who can read, and on demand who exactly. Claims no more than the trust mode allows. */
import type { VisitorClient } from '../model';
import { listOf } from '../i18n/core';
import { t } from '../i18n/widget';
import { readable } from '../ui/fingerprint';
import { Icon } from '../ui/Icon';
import * as icon from '../ui/icons';

export function LockLine({ client }: { client: VisitorClient }) {
  const site = client.site.value;
  const { mode, secure, storage } = client.trust.value;
  if (!site) return null;
  const org = site.orgName || site.name;
  const members = client.thread.value?.members.value;
  const bot = client.robot.value || members?.bot;
  const refused = client.robotRefused.value;
  const pinned = secure && mode === 'pinned';
  const bad = !pinned || refused;
  const sentence = !secure
    ? t('lockInsecure')
    : !pinned
      ? t('lockUnpinned', { org })
      : bot
        ? ''
        : t('lockPinned', { org });
  return (
    <details class={`w-lock${bad ? ' w-lock-bad' : ''}`}>
      <summary>
        <Icon d={bad ? icon.unlock : icon.lock} size={16} />
        {!bad && storage !== 'memory' && <span class="w-short">{t('lockShort')}</span>}
        <span class="k-grow">
          {sentence}
          {bot && ` ${t('lockRobot', { org })}`}
          {refused && ` ${t('lockFalse', { org })}`}
          {storage === 'memory' && ` ${t('lockMemory')}`}
        </span>
        <Icon d={icon.down} size={14} />
      </summary>
      {members && members.people.length > 0 && <p>{t('lockPeople', { names: listOf(members.people) })}</p>}
      <p>
        {t('lockFp')}
        <code>{readable(site.org)}</code>
      </p>
    </details>
  );
}
