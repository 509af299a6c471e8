/** The sentences of a thread's events, for a visitor. */
import type { Message } from '../model';
import { t } from '../i18n/widget';
import { t as shared } from '../i18n/shared';
import { starred } from '../ui/stars';

/** Null: nothing a visitor needs to know. */
export function eventText(message: Message): string | null {
  const e = message.event;
  switch (e?.t) {
    case 'owner':
      if (e.owner === 'agent') return t('evAgent', { name: e.name ?? shared('agent') });
      if (e.owner !== 'queue') return null;
      return e.why === 'transfer' || e.why === 'lost'
        ? t('evTransfer')
        : e.why === 'person' || e.why === 'handoff'
          ? t('evPerson')
          : null;
    case 'closed':
      return t(
        e.by === 'visitor'
          ? 'evClosedMine'
          : e.by === '@idle'
            ? 'evClosedIdle'
            : e.by === '@missed'
              ? 'evClosedMissed'
              : 'evClosed',
      );
    case 'reopened':
      return t('evReopened');
    case 'rated':
      return t('evRated', { stars: starred(e.stars) });
    case 'epoch': {
      if (e.bot) return t('evBotIn');
      return e.botBefore ? t('evBotOut') : null;
    }
    case 'moved':
      return e.name ? t('evMoved', { name: e.name }) : t('evMovedAnon');
    case 'rewound':
      return shared('rewound');
    default:
      return null;
  }
}
