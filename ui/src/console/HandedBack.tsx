/** What an agent had written and cannot send any more, because they lost the conversation or were put out: to be copied, and why. */
import type { AgentClient } from '../model';
import { errorText, t } from '../i18n/console';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { useSignal } from '../ui/signals';
import { nameOf } from './conversations';
import type { ConsoleState, Returned } from './state';
import { useConsole } from './useConsole';

/** Drafts belong to what was lost, too. Shows why the content of the screen is gone. */
export function takeDropped(state: ConsoleState, client: AgentClient): void {
  const lost = client.dropped.peek();
  if (!lost.length) return;
  const back: Returned[] = [];
  const { reason } = client.connection.peek();
  for (const one of lost) {
    const drafts = (['reply', 'note'] as const)
      .map((of) => ({ text: state.draftOf(one.conv, of), note: of === 'note' }))
      .filter((d) => d.text.trim());
    for (const of of ['reply', 'note'] as const) state.setDraft(one.conv, of, '');
    const texts = [...one.texts, ...drafts];
    if (texts.length) back.push({ ...one, texts, reason });
    // leaving a team, and a sign-out, are reported anyway
    else if (one.why === 'elsewhere' && state.selected.peek() === one.conv)
      state.toasts.show(() => whyText(one), 'info');
  }
  if (back.length) state.returned.value = [...state.returned.peek(), ...back];
  client.forgetDropped();
}

function whyText({ why, team, name, conv, reason }: Returned): string {
  if (why === 'signed-out') return errorText(reason);
  return t(`back.${why}`, { team, name: nameOf({ id: conv, name }) });
}

export function HandedBack() {
  const state = useConsole();
  const all = state.returned.value;
  if (!all.length) return null;
  const close = () => (state.returned.value = []);
  return (
    <Dialog
      title={t('backTitle')}
      onClose={close}
      actions={
        <Button kind="primary" onClick={close}>
          {t('backDone')}
        </Button>
      }
    >
      <p class="c-lead">{t('backText')}</p>
      {all.map((one) => (
        <section key={one.conv} class="c-back-part">
          <p>{whyText(one)}</p>
          {one.texts.map((unsent, i) => (
            <Text
              key={i}
              text={unsent.text}
              label={`${nameOf({ id: one.conv, name: one.name })} · ${t(unsent.note ? 'note' : 'reply')}`}
              first={one === all[0] && i === 0}
            />
          ))}
        </section>
      ))}
    </Dialog>
  );
}

/** The focus goes into the text: a person who is typing when it comes closes nothing by that. */
function Text({ text, label, first }: { text: string; label: string; first: boolean }) {
  const copied = useSignal(false);
  const copy = (e: { currentTarget: HTMLElement }) => {
    const field = e.currentTarget.parentElement!.querySelector('textarea')!;
    field.select();
    // a browser that lets no page write there keeps it selected, for the keys
    void navigator.clipboard?.writeText(text).then(
      () => (copied.value = true),
      () => undefined,
    );
  };
  return (
    <div class="c-back-text">
      <textarea
        class="k-input"
        readOnly
        rows={3}
        aria-label={label}
        data-autofocus={first || undefined}
        value={text}
        dir="auto"
      />
      <Button size="sm" onClick={copy}>
        {t(copied.value ? 'copied' : 'copy')}
      </Button>
      <span class="k-sr" role="status">
        {copied.value ? t('copied') : ''}
      </span>
    </div>
  );
}
