/** The sentences of a thread's events, for an agent. */
import type { Labels, Message } from '../model';
import { t } from '../i18n/console';
import { t as shared } from '../i18n/shared';
import { starred } from '../ui/stars';
import { handlingText } from './handling';

/** Why the robot goes. */
const HANDOFF = ['asked', 'unsure', 'failed', 'policy', 'busy', 'hours', 'error'] as const;

const NO_LABELS: Labels = { tags: [], reasons: [], targets: {} };

type TeamName = (id: string) => string;

export function eventText(
  message: Message,
  teamName: TeamName,
  visitorName: string,
  labels: Labels = NO_LABELS,
): string | null {
  const e = message.event;
  const by = (user: string, name?: string) => (user === 'visitor' ? visitorName : name || user);
  switch (e?.t) {
    case 'open':
      return t('evOpen');
    case 'owner': {
      const team = teamName(e.team);
      // the line about its epoch shows it
      if (e.owner === 'robot') return null;
      if (e.why === 'person') return t('evPerson', { team });
      const handsOn = e.why === 'transfer' && e.by ? by(e.by, e.byName) : null;
      if (e.owner === 'queue' && handsOn) return t('evTransferTeamBy', { team, by: handsOn });
      if (e.owner === 'queue')
        return t(
          e.why === 'handoff'
            ? 'evHandoff'
            : e.why === 'lost'
              ? 'evLost'
              : e.why === 'transfer'
                ? 'evTransferTeam'
                : 'evQueue',
          { team },
        );
      // The line "closed by" already shows it.
      if (e.owner === 'none') return null;
      const name = e.name || e.user || shared('agent');
      if (handsOn) return t('evTransferAgentBy', { name, by: handsOn });
      return t(e.why === 'transfer' ? 'evTransferAgent' : e.why === 'take' ? 'evTake' : 'evAccept', { name });
    }
    case 'handoff':
      return (
        t(`handoff.${HANDOFF.find((why) => why === e.why) ?? 'other'}`) +
        (e.team ? ` · ${t('handoffTeam', { team: teamName(e.team) })}` : '')
      );
    case 'closed':
      if (e.by === '@idle') return t('evClosedIdle');
      if (e.by === '@missed') return t('evClosedMissed');
      return t('evClosed', { name: by(e.by, e.name) });
    case 'dismissed':
      return t('evDismissed', { name: by(e.by, e.name) });
    case 'reopened':
      return t('evReopened', { name: by(e.by, e.name) });
    case 'rated':
      return t('evRated', { name: visitorName, stars: starred(e.stars) });
    case 'epoch': {
      if (e.bot) return t('evBotIn');
      return e.botBefore ? t('evBotOut') : null;
    }
    case 'moved':
      return t('evMoved', { name: e.name ?? visitorName, team: teamName(e.team) });
    case 'tagged':
    case 'priority':
    case 'reason':
    case 'snoozed':
    case 'woken':
    case 'blocked':
    case 'unblocked':
      return handlingText(e, by(e.by, e.name), labels);
    case 'rewound':
      return shared('rewound');
    default:
      return null;
  }
}
