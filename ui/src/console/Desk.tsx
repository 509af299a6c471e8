/** The desk of a signed-in agent: list, thread, visitor; one at a time on a phone. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { AgentClient } from '../model';
import { errorText, t } from '../i18n/console';
import { Banner } from '../ui/Banner';
import { Button } from '../ui/Button';
import { Empty } from '../ui/Empty';
import * as icon from '../ui/icons';
import { keepFocus } from '../ui/keepFocus';
import { Lazy } from '../ui/Lazy';
import { useSignalEffect } from '../ui/signals';
import { ConnectionBanner } from '../ui/ConnectionBanner';
import { keepDrafts } from './drafts';
import { watchHotkeys } from './hotkeys';
import { lazy } from './lazy';
import { ListPane } from './ListPane';
import { Offers } from './Offers';
import { narrow } from './narrow';
import { inHistory } from './route';
import { endSearch, keepsIndex, startSearch } from './search';
import { ThreadPane } from './ThreadPane';
import { VisitorPane } from './VisitorPane';
import { watchPlace } from './place';
import { useConsole } from './useConsole';

const NoticeDialog = lazy(() => import('./NoticeDialog').then((m) => m.NoticeDialog));
const Replies = lazy(() => import('./replies/Manager').then((m) => m.Manager));
const Shortcuts = lazy(async () => (await import('./Shortcuts')).Shortcuts);
const ChangePassword = lazy(async () => (await import('./ChangePassword')).ChangePassword);
const TransferDialog = lazy(async () => (await import('./TransferDialog')).TransferDialog);
const CloseDialog = lazy(async () => (await import('./CloseDialog')).CloseDialog);
const TagDialog = lazy(async () => (await import('./TagDialog')).TagDialog);
const SnoozeDialog = lazy(async () => (await import('./SnoozeDialog')).SnoozeDialog);
const BlockDialog = lazy(async () => (await import('./BlockDialog')).BlockDialog);
const LabelsDialog = lazy(async () => (await import('./LabelsDialog')).LabelsDialog);
const FirstSteps = lazy<{ client: AgentClient; onClose?: () => void }>(
  async () => (await import('./FirstSteps')).FirstSteps,
);
const WaitingDialog = lazy(async () => (await import('./WaitingDialog')).WaitingDialog);
const Palette = lazy(async () => (await import('./Palette')).Palette);

/** The server has little or no space left on its disk: what that means for agents, until it ends. */
function StorageBanner({ client }: { client: AgentClient }) {
  const state = client.storage.value;
  if (state === 'ok') return null;
  return (
    <Banner kind={state === 'full' ? 'danger' : 'warn'} icon={icon.alert}>
      {t(state === 'full' ? 'storageFull' : 'storageLow')}
    </Banner>
  );
}

/** A column that is the whole page on a phone is its main part there. */
function Alone({ as, children, class: name }: { as: boolean; children: ComponentChildren; class: string }) {
  return (
    <div class={name} role={as && narrow.value ? 'main' : undefined}>
      {children}
    </div>
  );
}

const loadHistory = () => import('./history/History').then((m) => m.default);

/** Fetched when it is first opened. */
function HistoryPart({ client }: { client: AgentClient }) {
  return (
    <Lazy
      load={loadHistory}
      props={{ client }}
      failed={(again) => (
        <Banner kind="danger" action={<Button onClick={again}>{t('retryNow')}</Button>}>
          {errorText('error.network')}
        </Banner>
      )}
    >
      <p class="c-loading" role="status">
        <span class="k-spin" aria-hidden="true" /> {t('loadingThread')}
      </p>
    </Lazy>
  );
}

export function Desk({ client }: { client: AgentClient }) {
  const state = useConsole();
  useEffect(() => watchHotkeys(state, client), [state, client]);
  useEffect(() => {
    if (keepsIndex()) void startSearch(client);
    return endSearch;
  }, [client]);
  useEffect(() => keepDrafts(state, client), [state, client]);
  useEffect(() => watchPlace(state, client), [state, client]);
  const desk = useRef<HTMLDivElement>(null);
  useEffect(() => keepFocus(desk.current!), []);
  // What vanished from the list (transferred out of sight) must not stay on screen; what was just accepted may come a moment later.
  const seen = useRef<string | null>(null);
  useSignalEffect(() => {
    const id = state.selected.value;
    if (id && client.conversations.value.some((item) => item.id === id)) seen.current = id;
    else if (id && seen.current === id) state.select(null);
  });
  const past = inHistory();
  const item = past ? undefined : client.conversations.value.find((one) => one.id === state.selected.value);
  const view = past ? 'past' : !item ? 'list' : state.showVisitor.value ? 'visitor' : 'thread';
  const close = () => (state.dialog.value = null);
  return (
    <div ref={desk} class="c-desk" data-view={view} tabIndex={-1}>
      <ConnectionBanner
        connection={client.connection.value}
        why={errorText(client.connection.value.reason)}
        t={t}
        onAgain={() => client.reconnect()}
      />
      <StorageBanner client={client} />
      <div class="c-panes">
        <Offers client={client} />
        {past && <HistoryPart client={client} />}
        {!past && (
          <Alone as={view === 'list'} class="c-listcol">
            {narrow.value && view === 'list' && <h1 class="k-sr">{t('app')}</h1>}
            <ListPane client={client} />
          </Alone>
        )}
        {past ? null : item ? (
          <>
            <ThreadPane key={item.id} client={client} item={item} />
            <VisitorPane key={`v${item.id}`} client={client} item={item} alone={narrow.value && view === 'visitor'} />
          </>
        ) : (
          <main class="c-thread c-none">
            {client.conversations.value.length || client.more.value.all ? (
              <Empty icon={icon.chat} title={t('pick')} heading>
                {t('pickText')}
              </Empty>
            ) : (
              <FirstSteps client={client} />
            )}
          </main>
        )}
      </div>
      {state.dialog.value === 'shortcuts' && <Shortcuts onClose={close} />}
      {state.dialog.value === 'notices' && <NoticeDialog client={client} onClose={close} />}
      {state.dialog.value === 'password' && <ChangePassword client={client} onClose={close} />}
      {state.dialog.value === 'replies' && <Replies client={client} onClose={close} />}
      {state.dialog.value === 'waiting' && <WaitingDialog client={client} onClose={close} />}
      {state.dialog.value === 'transfer' && item && <TransferDialog client={client} item={item} onClose={close} />}
      {state.dialog.value === 'tags' && item && <TagDialog client={client} item={item} onClose={close} />}
      {state.dialog.value === 'snooze' && item && <SnoozeDialog client={client} item={item} onClose={close} />}
      {state.dialog.value === 'block' && item && <BlockDialog client={client} item={item} onClose={close} />}
      {state.dialog.value === 'labels' && <LabelsDialog client={client} onClose={close} />}
      {state.dialog.value === 'palette' && <Palette client={client} item={item ?? null} onClose={close} />}
      {state.dialog.value === 'close' && item && <CloseDialog client={client} item={item} onClose={close} />}
    </div>
  );
}
