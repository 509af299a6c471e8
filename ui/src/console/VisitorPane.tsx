/** The right pane: what is known of the visitor, and how sure it is. */
import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import type { AgentClient, ConvItem, Message } from '../model';
import { personIn } from '../client/list';
import { listOf } from '../i18n/core';
import { t } from '../i18n/console';
import { t as shared } from '../i18n/shared';
import { Avatar } from '../ui/Avatar';
import { RichText } from '../ui/RichText';
import { Button, IconButton } from '../ui/Button';
import { Icon } from '../ui/Icon';
import * as icon from '../ui/icons';
import { lastWhere } from '../ui/group';
import { safeHref } from '../ui/linkify';
import { answersOf } from '../ui/MessageItem';
import { short } from '../ui/readable';
import { full } from '../ui/time';
import { fieldLabel } from './fields';
import { nameOf } from './conversations';
import { Earlier } from './Earlier';
import { Verified } from './Verified';
import { mayHandle } from './handling';
import { latePeople } from './Waiting';
import { useConsole } from './useConsole';

/** Characters of the title and the address of a page. */
const MAX_TITLE = 300;

/** Names of readers that are shown, if there are more than fit in one line. */
const NAMES = 3;

/** `alone`: it is the whole page, on a phone. */
export function VisitorPane({ client, item, alone }: { client: AgentClient; item: ConvItem; alone?: boolean }) {
  const state = useConsole();
  const [Pane, Head] = alone ? (['div', 'h1'] as const) : (['aside', 'h2'] as const);
  const thread = useMemo(() => client.open(item.id), [client, item.id]);
  const messages = thread.messages.value;
  const form = lastWhere(messages, (m) => m.kind === 'form' && !m.form?.update)?.form;
  // The client shows "open" only after the keys in it hashed to the conversation id.
  const verified = messages.some((m) => m.event?.t === 'open');
  const members = thread.members.value;
  const { conv } = item;
  const waiting = latePeople(client).filter((p) => p.teams.includes(conv.team));
  const answers = answersOf(form?.fields ?? {}, fieldLabel);
  const team = client.teams.value.find((one) => one.id === conv.team)?.name ?? conv.team;

  return (
    <Pane
      class={`c-visitor${state.showVisitor.value ? ' c-shown' : ''}`}
      aria-label={t('info')}
      role={alone ? 'main' : undefined}
    >
      <div class="c-visitor-head">
        <span class="c-visitor-close">
          <IconButton icon={icon.close} label={shared('close')} onClick={() => (state.showVisitor.value = false)} />
        </span>
        <Avatar name={nameOf(item)} />
        <Head>
          <bdi>{nameOf(item)}</bdi>
          <Verified item={item} />
        </Head>
      </div>

      <WhoTheyAre messages={messages} alone={alone} />

      <Part alone={alone} title={t('answers')}>
        {answers.shown.map((one) => (
          <Fact key={one.id} label={one.label}>
            <RichText text={one.value} as="text" />
          </Fact>
        ))}
        {answers.more > 0 && <p class="k-hint">{shared('moreFields', { n: answers.more })}</p>}
        {!answers.shown.length && <p class="k-hint">{t('noAnswers')}</p>}
      </Part>

      {form?.page && (
        <Part alone={alone} title={t('page')}>
          <p class="c-page">
            <strong dir="auto">{short(form.page.title, MAX_TITLE)}</strong>
            <PageLink url={form.page.url} />
          </p>
          {form.page.referrer && (
            <Fact label={t('referrer')}>
              <PageLink url={form.page.referrer} />
            </Fact>
          )}
        </Part>
      )}

      <Part alone={alone} title={t('conv')}>
        <Fact label={t('site')}>{client.sites.value[conv.site] ?? conv.site}</Fact>
        <Fact label={t('team')}>{team}</Fact>
        {form?.lang && <Fact label={t('lang')}>{short(form.lang)}</Fact>}
        <Fact label={t('created')}>{full(conv.created)}</Fact>
        <Fact label={t('lastAt')}>{full(conv.last_at)}</Fact>
        {item.tabs.missed && <Fact label={t('missedAt')}>{full(conv.missed!)}</Fact>}
        {item.waitingSince !== null && <Fact label={t('waitingSince')}>{full(item.waitingSince)}</Fact>}
        <Fact label={t('conversation')}>
          <code>{conv.id.slice(0, 8)}</code>
        </Fact>
        {form?.after && (
          <Fact label={t('after')}>
            <button type="button" class="k-link" onClick={() => state.select(form.after!)}>
              <code>{form.after.slice(0, 8)}</code>
            </button>
          </Fact>
        )}
      </Part>

      <Earlier client={client} conv={conv.id} as={alone ? 'h2' : 'h3'} />

      <Part alone={alone} title={t('security')}>
        <p class={`c-verified${verified ? ' c-yes' : ''}`}>
          <Icon d={verified ? icon.check : icon.key} size={16} />
          <span>
            {t(verified ? 'keyVerified' : 'keyPending')}
            <code title={conv.ed}>{conv.ed.slice(0, 16)}…</code>
          </span>
        </p>
        {form?.mode && (
          <p class={`c-verified${form.mode === 'pinned' ? ' c-yes' : ''}`}>
            <Icon d={form.mode === 'pinned' ? icon.lock : icon.unlock} size={16} />
            <span>{t(form.mode)}</span>
          </p>
        )}
        <Fact label={t('readers')}>{readersOf(members.people)}</Fact>
        {waiting.length > 0 && <p class="k-hint">{t('waitingNames', { names: listOf(waiting.map((p) => p.name)) })}</p>}
        {members.bot && <p class="k-hint">{t('botReads')}</p>}
        {mayHandle(item, client.me.value) && (
          <Button size="sm" onClick={() => (state.dialog.value = 'block')}>
            {t('blockVisitor')}
          </Button>
        )}
      </Part>
    </Pane>
  );
}

/** Who they are by the word of the site's backend, and what the page says of them. The words of a token that proves nothing are not shown. */
function WhoTheyAre({ messages, alone }: { messages: readonly Message[]; alone?: boolean }) {
  const person = personIn(messages);
  const last = lastWhere(messages, (m) => !!m.form?.judged)?.form?.judged;
  const attributes = Object.entries(lastWhere(messages, (m) => !!m.form?.attributes)?.form?.attributes ?? {});
  if (!last && !attributes.length) return null;
  return (
    <Part alone={alone} title={t('identity')}>
      {person && (
        <p class="c-verified c-yes">
          <Icon d={icon.check} size={16} />
          <span>
            {t('vouched')}
            <code dir="auto">{person.sub}</code>
          </span>
        </p>
      )}
      {last?.why && (
        <p class="c-verified">
          <Icon d={icon.alert} size={16} />
          <span>{t('notVouched', { why: t(`notVouched.${last.why}`) })}</span>
        </p>
      )}
      {attributes.length > 0 && <p class="k-hint">{t('attributes')}</p>}
      {attributes.map(([name, value]) => (
        <Fact key={name} label={short(name)}>
          <RichText text={value} as="text" />
        </Fact>
      ))}
    </Part>
  );
}

/** The first few by name, the others by number: a large team is no list to read. */
export function readersOf(people: readonly string[]): string {
  if (people.length <= NAMES + 1) return listOf([...people]) || '—';
  return t('readersMore', { names: listOf(people.slice(0, NAMES)), n: people.length });
}

function Part({ title, children, alone }: { title: string; children: ComponentChildren; alone?: boolean }) {
  const Head = alone ? 'h2' : 'h3';
  return (
    <section class="c-part">
      <Head>{title}</Head>
      {children}
    </section>
  );
}

function Fact({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <div class="c-fact">
      <span class="c-fact-label">
        <bdi>{label}</bdi>
      </span>
      <span class="c-fact-value" dir="auto">
        {children}
      </span>
    </div>
  );
}

/** The visitor's word: a link only if it is a plain web address. */
function PageLink({ url }: { url: string }) {
  const href = safeHref(url);
  return href ? (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {short(url, MAX_TITLE)}
    </a>
  ) : (
    <span>{short(url, MAX_TITLE)}</span>
  );
}
