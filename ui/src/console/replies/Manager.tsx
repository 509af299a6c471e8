/** Where canned replies are added, changed, deleted, imported and exported. Fetched when it is first opened. */
import type { AgentClient, DocProblem, Scope } from '../../model';
import { t as console_ } from '../../i18n/console';
import { t } from '../../i18n/replies';
import { t as shared } from '../../i18n/shared';
import { save } from '../../files/save';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { Empty } from '../../ui/Empty';
import * as icon from '../../ui/icons';
import { useSignal } from '../../ui/signals';
import { TextField } from '../../ui/TextField';
import { useConsole } from '../useConsole';
import { writeRows } from './csv';
import { Editor } from './Editor';
import { Import } from './Import';
import { bodyOf, KIND, matching, repliesOf, type Reply } from './reply';
import './Manager.css';

/** Replies that the list shows; more are found by searching. */
const MOST = 500;

type View = { of: 'list' } | { of: 'edit'; reply: Reply | null } | { of: 'remove'; reply: Reply } | { of: 'import' };

/** Where this person may put one. */
export function scopesOf(client: AgentClient): { scope: Scope; name: string }[] {
  const me = client.me.value;
  if (!me) return [];
  const scopes: Scope[] = [`own:${me.user}`, ...me.teams.map((id): Scope => `team:${id}`), 'company'];
  return scopes
    .filter((scope) => client.documents?.mayWrite(scope))
    .map((scope) => ({ scope, name: scopeName(client, scope) }));
}

export function scopeName(client: AgentClient, scope: Scope): string {
  if (scope === 'company') return t('company');
  if (scope.startsWith('own:')) return t('own');
  const id = scope.slice('team:'.length);
  return t('teamScope', { team: client.teams.value.find((team) => team.id === id)?.name ?? id });
}

export function Manager({ client, onClose }: { client: AgentClient; onClose: () => void }) {
  const view = useSignal<View>({ of: 'list' });
  const back = () => (view.value = { of: 'list' });
  const v = view.value;
  if (v.of === 'edit') return <Editor client={client} reply={v.reply} onDone={back} onClose={onClose} />;
  if (v.of === 'import') return <Import client={client} onDone={back} onClose={onClose} />;
  if (v.of === 'remove') return <Remove client={client} reply={v.reply} onDone={back} />;
  return <List client={client} onClose={onClose} show={(next) => (view.value = next)} />;
}

function List({ client, onClose, show }: { client: AgentClient; onClose: () => void; show: (v: View) => void }) {
  const query = useSignal('');
  const list = client.documents?.list(KIND).value;
  const all = repliesOf(client);
  const found = matching(all, query.value, MOST);
  const groups = new Map<string, Reply[]>();
  for (const r of found) groups.set(r.group, [...(groups.get(r.group) ?? []), r]);
  const out = () => save(new Blob(['\uFEFF', writeRows(all, (s) => scopeName(client, s))]), 'kefu-replies.csv');
  return (
    <Dialog
      wide
      title={t('title')}
      onClose={onClose}
      actions={
        <>
          <Button onClick={() => show({ of: 'import' })}>{t('import')}</Button>
          <Button disabled={!all.length} onClick={out}>
            {t('export')}
          </Button>
          <Button kind="primary" onClick={() => show({ of: 'edit', reply: null })}>
            {t('add')}
          </Button>
        </>
      }
    >
      <p class="c-lead">{t('lead')}</p>
      <TextField label={t('search')} value={query.value} onValue={(s) => (query.value = s)} autofocus />
      {list?.problems.length ? <Problems client={client} problems={list.problems} /> : null}
      {list?.state !== 'here' && (
        <p class="k-hint" role="status">
          {t(list?.state === 'failed' ? 'failed' : 'loading')}
        </p>
      )}
      {list?.state === 'here' && !all.length && (
        <Empty icon={icon.chat} title={t('none')}>
          {t('noneText')}
        </Empty>
      )}
      {all.length > 0 && !found.length && <p class="k-hint">{t('nothing')}</p>}
      {[...groups].map(([group, replies]) => (
        <section key={group} class="c-replygroup">
          <h3>{group || t('noGroup')}</h3>
          <ul>
            {replies.map((r) => (
              <li key={r.id}>
                <div class="k-grow">
                  <p class="c-pick-title">
                    <strong dir="auto">{r.title || r.text}</strong>
                    {r.shortcut && <kbd>/{r.shortcut}</kbd>}
                  </p>
                  <p class="c-replytext" dir="auto">
                    {r.text}
                  </p>
                  <p class="k-hint">
                    {scopeName(client, r.scope)} · {t('by', { name: r.author })}
                    {r.public && <span class="c-tag"> {t('publicTag')}</span>}
                  </p>
                </div>
                {r.mayWrite && (
                  <Button
                    size="sm"
                    aria-label={`${t('edit')} ${r.title || r.shortcut}`}
                    onClick={() => show({ of: 'edit', reply: r })}
                  >
                    {t('edit')}
                  </Button>
                )}
                {r.mayDelete && (
                  <Button
                    size="sm"
                    aria-label={`${t('remove')} ${r.title || r.shortcut}`}
                    onClick={() => show({ of: 'remove', reply: r })}
                  >
                    {t('remove')}
                  </Button>
                )}
              </li>
            ))}
          </ul>
        </section>
      ))}
    </Dialog>
  );
}

function Remove({ client, reply, onDone }: { client: AgentClient; reply: Reply; onDone: () => void }) {
  const state = useConsole();
  const go = async () => {
    if (await state.acts.once('reply-remove', () => client.documents!.remove(KIND, reply.id))) onDone();
  };
  return (
    <Dialog
      title={t('removeAsk', { title: reply.title || reply.shortcut || reply.text.slice(0, 20) })}
      onClose={onDone}
      actions={
        <>
          <Button onClick={onDone}>{shared('cancel')}</Button>
          <Button kind="danger" data-autofocus busy={state.acts.isBusy('reply-remove')} onClick={() => void go()}>
            {t('remove')}
          </Button>
        </>
      }
    >
      {t('removeText')}
    </Dialog>
  );
}

/** What the server shows and this page does not use, and why. */
function Problems({ client, problems }: { client: AgentClient; problems: readonly DocProblem[] }) {
  const state = useConsole();
  return (
    <details class="c-replyproblems">
      <summary>{t('problems', { n: problems.length })}</summary>
      <ul>
        {problems.map(({ id, why, doc, mayDelete }) => {
          const body = doc && bodyOf(doc.body);
          const keep = () => {
            const { scope, public: open, body: whole } = doc!;
            return client.documents!.save(KIND, { id, scope, public: open, body: whole });
          };
          return (
            <li key={id}>
              <div class="k-grow">
                {body && (
                  <p dir="auto">
                    <strong>{body.title}</strong> {body.text}
                  </p>
                )}
                <p class="k-hint">
                  {t(`why.${why}`)} {doc && t('by', { name: doc.author })}
                </p>
              </div>
              {doc?.mayWrite && (
                <Button
                  size="sm"
                  busy={state.acts.isBusy(`keep ${id}`)}
                  onClick={() => void state.acts.once(`keep ${id}`, keep)}
                >
                  {t('keep')}
                </Button>
              )}
              {mayDelete && (
                <Button
                  size="sm"
                  busy={state.acts.isBusy(`drop ${id}`)}
                  onClick={() => void state.acts.once(`drop ${id}`, () => client.documents!.remove(KIND, id))}
                >
                  {console_('draftDrop')}
                </Button>
              )}
            </li>
          );
        })}
      </ul>
    </details>
  );
}
