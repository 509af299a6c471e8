/** One group of a thread: messages of one sender within a minute, with what became of the last one. */
import type { ComponentChildren } from 'preact';
import type { Message } from '../model';
import { t } from '../i18n/shared';
import { Avatar } from './Avatar';
import { FileSlot, type FileActs } from './FileSlot';
import { RichText } from './RichText';
import { Icon } from './Icon';
import { memo, sameItems } from './memo';
import { short } from './readable';
import { clock, full, now } from './time';
import * as icon from './icons';

export interface MessageActs extends Partial<FileActs> {
  retry: (id: string) => void;
  recall: (id: string) => void;
  /** Puts a text into the field, to be sent in the place of what it is. */
  change?: (message: Message) => void;
  quote?: (message: Message) => void;
  /** Shows the message with this id. */
  jump?: (id: string) => void;
  /** Takes a text that was refused back into the field. */
  edit?: (message: Message) => void;
  /** Labels of the form's fields by id. */
  fieldLabel: (id: string) => string;
  errorText: (message: Message) => string;
}

/** What is shown below a message: quick replies, what the robot understood. */
export type Below = (message: Message) => ComponentChildren;

interface GroupProps {
  messages: readonly Message[];
  /** Of each message. */
  below: readonly ComponentChildren[];
  /** Whose page this is: their side is on the right. */
  viewer: 'visitor' | 'agent';
  /** What the visitor is called when a message has no author. */
  visitorName: string;
  /** The newest acts: they change with every render, what is shown does not. */
  acts: { readonly current: MessageActs };
}

/** As the server certifies a robot. */
const UNNAMED = 'Robot';

function nameOf(m: Message, visitorName: string): string {
  if (m.mine) return t('you');
  // a robot that nobody gave a name is called by what it is, in the language of the page
  if (m.side === 'robot') return m.author?.name && m.author.name !== UNNAMED ? short(m.author.name) : t('robot');
  return short(m.author?.name || (m.side === 'visitor' ? visitorName : t('agent')));
}

export const MessageGroup = memo(
  Group,
  (a, b) =>
    a.viewer === b.viewer &&
    a.visitorName === b.visitorName &&
    sameItems(a.messages, b.messages) &&
    sameItems(a.below, b.below),
);

function Group({ messages, below, viewer, visitorName, acts }: GroupProps) {
  const first = messages[0]!;
  const last = messages[messages.length - 1]!;
  const right = first.side === viewer || (viewer === 'agent' && first.side === 'robot');
  const name = nameOf(first, visitorName);
  return (
    <div
      class={`k-group ${right ? 'k-right' : 'k-left'}${first.kind === 'note' ? ' k-is-note' : ''}${first.mine ? '' : ` k-by-${first.side}`}`}
    >
      {!right && <Avatar name={name} org={first.side === 'robot'} size="sm" />}
      <div class="k-stack">
        <p class={first.mine && first.kind !== 'note' ? 'k-sr' : 'k-author'}>
          <bdi>{name}</bdi>
          {first.side === 'robot' && name !== t('robot') && <span class="k-tag">{t('robot')}</span>}
          {first.kind === 'note' && <span class="k-tag k-tag-note">{t('note')}</span>}
        </p>
        {messages.map((m, i) => (
          <MessageBubble key={m.id} m={m} last={m === last} below={below[i]} acts={acts} />
        ))}
      </div>
    </div>
  );
}

interface BubbleProps extends Pick<GroupProps, 'acts'> {
  m: Message;
  last: boolean;
  below: ComponentChildren;
}

const MessageBubble = memo(Bubble, (a, b) => a.m === b.m && a.last === b.last && a.below === b.below);

function Bubble({ m, last, below, acts }: BubbleProps) {
  const recallable = m.kind !== 'recalled' && m.canRecall();
  // read so that "recall" goes away when its two minutes are over
  if (recallable || m.state === 'queued') void now.value;
  const shown = m.kind === 'text' || m.kind === 'note' || m.kind === 'form';
  return (
    <>
      {(m.missingBefore || m.unordered) && (
        <p class="k-gap">
          <Icon d={icon.alert} size={14} /> {t(m.missingBefore ? 'missing' : 'unordered')}
        </p>
      )}
      <div class="k-bubble-row" data-line={m.id}>
        <div
          class={`k-bubble k-kind-${m.kind}${m.file ? ' k-has-file' : ''}${m.state === 'failed' ? ' k-failed' : ''}${m.state === 'queued' ? ' k-queued' : ''}`}
          title={full(m.at)}
        >
          {m.kind === 'form' && m.form && (
            <FormLines fields={m.form.fields} label={(id) => acts.current.fieldLabel(id)} />
          )}
          {m.file && <FileSlot m={m} acts={acts} />}
          {m.quote && (
            <button type="button" class="k-quote" dir="auto" onClick={() => acts.current.jump?.(m.quote!.id)}>
              {short(m.quote.text, 120) || t('quoteGone')}
            </button>
          )}
          {shown && m.text && (
            <div class="k-text" dir="auto">
              <RichText text={m.text} as={m.side === 'robot' ? 'markdown' : 'links'} />
            </div>
          )}
          {!shown && <span class="k-gone">{goneText(m)}</span>}
          {m.edited && (
            <details class="k-edited">
              <summary>{t('edited')}</summary>
              {m.edited.map((text, i) => (
                <p key={i} dir="auto">
                  <RichText text={text} as="text" />
                </p>
              ))}
            </details>
          )}
        </div>
        {acts.current.quote && m.kind === 'text' && m.text && m.seq && (
          <button type="button" class="k-act" onClick={() => acts.current.quote!(m)}>
            {t('quote')}
          </button>
        )}
        {acts.current.change && recallable && m.text && !m.file && (
          <button type="button" class="k-act" onClick={() => acts.current.change!(m)}>
            {t('edit')}
          </button>
        )}
        {recallable && (
          <button type="button" class="k-act" onClick={() => acts.current.recall(m.id)}>
            {t('recall')}
          </button>
        )}
      </div>
      <section class="k-foot">
        {below}
        {m.state === 'failed' ? (
          <p class="k-meta k-meta-failed" role="alert">
            <Icon d={icon.alert} size={14} /> {t('stateFailed')}
            {/* for an ended conversation or connection the page itself shows it, with what can be done */}
            {!m.over && m.error !== 'error.full' && (
              <>
                {m.error && `: ${acts.current.errorText(m)}`}
                <button type="button" class="k-link" onClick={() => acts.current.retry(m.id)}>
                  {t('retry')}
                </button>
                {m.file && (
                  <button type="button" class="k-link" onClick={() => acts.current.files?.cancel(m.id)}>
                    {t('remove')}
                  </button>
                )}
                {m.text && acts.current.edit && (
                  <button type="button" class="k-link" onClick={() => acts.current.edit!(m)}>
                    {t('edit')}
                  </button>
                )}
              </>
            )}
          </p>
        ) : (
          last && (
            <p class="k-meta">
              <time>{clock(m.at)}</time>
              {m.mine && m.state && m.kind !== 'recalled' && <StateMark state={m.state} />}
            </p>
          )
        )}
      </section>
    </>
  );
}

/** What is shown in the place of a message without text. */
export function goneText(m: Message): string {
  if (m.kind === 'recalled') return t(m.mine ? 'recalledMine' : 'recalledOther');
  if (m.kind === 'removed') return t('removed');
  // A note for another team, or an epoch before this reader's time: nothing is wrong with it.
  if (m.error === 'error.no_key') return t('noKey');
  return t(m.kind === 'unsupported' ? 'newer' : 'broken');
}

const MARKS = {
  queued: { text: 'stateQueued', d: 'M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM8 5v3l2 1.5' },
  sent: { text: 'stateSent', d: 'M3 8.5l3 3 6.5-7' },
  delivered: { text: 'stateDelivered', d: 'M1 8.5l3 3 6.5-7M8 10.8l.8.7 6.5-7' },
  read: { text: 'stateRead', d: 'M1 8.5l3 3 6.5-7M8 10.8l.8.7 6.5-7' },
} as const;

/** A clock, ✓, ✓✓, and ✓✓ with the word for read: distinguished by shape, not only by colour. */
function StateMark({ state }: { state: keyof typeof MARKS }) {
  const mark = MARKS[state];
  return (
    <span class={`k-state k-state-${state}`} title={t(mark.text)}>
      <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
        <path
          d={mark.d}
          fill="none"
          stroke="currentColor"
          stroke-width="1.5"
          stroke-linecap="round"
          stroke-linejoin="round"
        />
      </svg>
      <span class={state === 'read' ? 'k-state-word' : 'k-sr'}>{t(mark.text)}</span>
    </span>
  );
}

/** Fields of a form that are shown. */
const MAX_FIELDS = 30;

/** What was answered, as it may be shown: so many, each with a name of one line. */
export function answersOf(
  fields: Record<string, string>,
  label: (id: string) => string,
): { shown: { id: string; label: string; value: string }[]; more: number } {
  const all = Object.entries(fields).filter(([, value]) => value);
  const shown = all.slice(0, MAX_FIELDS).map(([id, value]) => ({ id, label: short(label(id)), value }));
  return { shown, more: all.length - shown.length };
}

export function FormLines({ fields, label }: { fields: Record<string, string>; label: (id: string) => string }) {
  const { shown, more } = answersOf(fields, label);
  return (
    <dl class="k-form">
      {shown.map((one) => (
        <div key={one.id}>
          <dt>
            <bdi>{one.label}</bdi>
          </dt>
          <dd dir="auto">
            <RichText text={one.value} as="text" />
          </dd>
        </div>
      ))}
      {more > 0 && <dt>{t('moreFields', { n: more })}</dt>}
    </dl>
  );
}
