/** Ctrl-K: conversations, colleagues and acts by a few letters. A combobox with a list, as screen readers know it. */
import { useEffect, useId, useRef } from 'preact/hooks';
import type { AgentClient, AgentState, ConvItem } from '../model';
import { lang } from '../i18n/core';
import { t } from '../i18n/console';
import { t as more } from '../i18n/handling';
import { Dialog } from '../ui/Dialog';
import { isComposing } from '../ui/keys';
import { useSignal } from '../ui/signals';
import { nameOf } from './conversations';
import { PRIORITIES, STATES } from './filters';
import { ranked } from './fuzzy';
import { mayHandle, SNOOZES, snoozeUntil } from './handling';
import { previewOf } from './ListItem';
import { rightsOf } from './rights';
import { go, historyHash } from './route';
import { setLang } from './settings';
import type { ConsoleState, DialogName } from './state';
import { useConsole } from './useConsole';
import './Palette.css';

type Group = 'acts' | 'conversations' | 'colleagues' | 'pages';
const GROUPS: readonly Group[] = ['acts', 'conversations', 'colleagues', 'pages'];
/** Lines of one group. */
const MOST = 8;

interface Entry {
  group: Group;
  id: string;
  text: string;
  more?: string;
  run: () => void;
}

function entriesOf(state: ConsoleState, client: AgentClient, item: ConvItem | null): Entry[] {
  const out: Entry[] = [];
  const act = (id: string, text: string, run: () => void) => void out.push({ group: 'acts', id, text, run });
  const page = (id: string, text: string, run: () => void) => void out.push({ group: 'pages', id, text, run });
  const open = (dialog: DialogName) => () => (state.dialog.value = dialog);
  const request = (work: () => Promise<unknown>) => () => void state.acts.run(work);
  const me = client.me.value;
  if (item) {
    const rights = rightsOf(client, item);
    if (rights.canTake || rights.missed)
      act(
        'take',
        t('take'),
        request(() => client.take(item.id)),
      );
    if (rights.canReopen)
      act(
        'reopen',
        t('reopen'),
        request(() => client.reopen(item.id)),
      );
    if (rights.canClose) act('close', t('close'), open('close'));
    if (rights.canTransfer) act('transfer', t('transfer'), open('transfer'));
    if (mayHandle(item, me)) {
      act('tags', t('tags'), open('tags'));
      for (const p of PRIORITIES)
        act(
          `p-${p}`,
          `${t('priority')}: ${t(`priority.${p}`)}`,
          request(() => client.setPriority(item.id, p)),
        );
      act('block', t('blockVisitor'), open('block'));
    }
    if (item.conv.snoozed !== undefined)
      act(
        'wake',
        t('wake'),
        request(() => client.snooze(item.id, null)),
      );
    else if (rights.canClose && rights.owner.kind === 'agent') {
      for (const s of SNOOZES)
        act(
          `s-${s}`,
          `${t('snooze')}: ${t(`snooze.${s}`)}`,
          request(() => client.snooze(item.id, snoozeUntil(s, Date.now()))),
        );
      act('snooze', `${t('snooze')}: ${t('snooze.other')}`, open('snooze'));
    }
    if (rights.canTransfer)
      for (const agent of client.agents.value)
        if (agent.user !== me?.user)
          out.push({
            group: 'colleagues',
            id: agent.user,
            text: more('transferTo', { name: agent.name }),
            more: t(agent.state),
            run: request(() => client.transfer(item.id, { agent: agent.user })),
          });
  }
  for (const one of client.conversations.value)
    out.push({
      group: 'conversations',
      id: one.id,
      text: nameOf(one),
      more: previewOf(one.last),
      run: () => state.select(one.id),
    });
  for (const status of ['online', 'busy', 'offline'] as AgentState[])
    page(
      status,
      `${t('status')}: ${t(status)}`,
      request(() => client.status(status)),
    );
  for (const tab of ['mine', 'queue', 'missed', 'all'] as const)
    page(`tab-${tab}`, `${more('goTo')}: ${t(tab)}`, () => {
      state.tab.value = tab;
      state.select(null);
    });
  for (const s of STATES)
    page(`state-${s}`, `${t('filter')}: ${t(`state.${s}`)}`, () => {
      state.filter.value = { states: [s], sites: [], tags: [], priorities: [] };
    });
  if (me && me.role !== 'agent') page('labels', t('labels'), open('labels'));
  page('history', t('history'), () => go(historyHash({})));
  page('replies', t('replies'), open('replies'));
  page('notices', t('noticesOpen'), open('notices'));
  page('quiet', t(state.notices.quiet.value ? 'quietOff' : 'quietOn'), () =>
    state.notices.set('quiet', !state.notices.quiet.peek()),
  );
  page('shortcuts', t('shortcuts'), open('shortcuts'));
  page('language', t('language'), () => setLang(lang.peek() === 'en' ? 'zh-CN' : 'en'));
  page('assist', t(state.assist.value ? 'assistOff' : 'assistOn'), () => state.setAssist(!state.assist.peek()));
  page('password', t('changePassword'), open('password'));
  page('lock', t('lock'), () => client.lock());
  return out;
}

export function Palette({
  client,
  item,
  onClose,
}: {
  client: AgentClient;
  item: ConvItem | null;
  onClose: () => void;
}) {
  const state = useConsole();
  const typed = useSignal('');
  const at = useSignal(0);
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const entries = entriesOf(state, client, item);
  const groups = GROUPS.map((group) => ({
    group,
    found: ranked(
      typed.value,
      entries.filter((e) => e.group === group),
      (e) => `${e.text} ${e.more ?? ''}`,
      MOST,
    ),
  })).filter(({ found }) => found.length);
  const found = groups.flatMap((g) => g.found);
  const chosen = Math.min(at.value, Math.max(0, found.length - 1));
  const optionId = (n: number) => `${id}-${n}`;
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [chosen, typed.value]);
  const take = (entry: Entry | undefined) => {
    if (!entry) return;
    // what it opens comes instead
    onClose();
    entry.run();
  };
  const onKey = (e: KeyboardEvent) => {
    if (isComposing(e)) return;
    const step = e.key === 'ArrowDown' ? 1 : e.key === 'ArrowUp' ? -1 : 0;
    if (step) at.value = (chosen + step + found.length) % Math.max(1, found.length);
    else if (e.key === 'Enter') take(found[chosen]);
    else return;
    e.preventDefault();
  };
  let n = 0;
  return (
    <Dialog title={t('palette')} onClose={onClose}>
      <div class="c-palette">
        <input
          class="k-input"
          role="combobox"
          data-autofocus
          aria-label={more('paletteHint')}
          placeholder={more('paletteHint')}
          aria-expanded="true"
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-activedescendant={found.length ? optionId(chosen) : undefined}
          autocomplete="off"
          spellcheck={false}
          value={typed.value}
          onInput={(e) => {
            typed.value = e.currentTarget.value;
            at.value = 0;
          }}
          onKeyDown={onKey}
        />
        <div ref={list} id={`${id}-list`} role="listbox" aria-label={t('palette')}>
          {groups.map(({ group, found: some }) => (
            <div key={group} role="group" aria-labelledby={`${id}-${group}`}>
              <div id={`${id}-${group}`} class="c-palette-group" role="presentation">
                {more(`group.${group}`)}
              </div>
              {some.map((entry) => {
                const mine = n++;
                return (
                  <button
                    type="button"
                    tabIndex={-1}
                    key={entry.id}
                    id={optionId(mine)}
                    role="option"
                    aria-selected={mine === chosen}
                    onMouseMove={() => (at.value = mine)}
                    onClick={() => take(entry)}
                  >
                    <bdi>{entry.text}</bdi>
                    {entry.more && <small dir="auto">{entry.more}</small>}
                  </button>
                );
              })}
            </div>
          ))}
        </div>
        <p class="k-hint" role="status">
          {found.length ? more('paletteFound', { n: found.length }) : more('paletteNone')}
        </p>
      </div>
    </Dialog>
  );
}
