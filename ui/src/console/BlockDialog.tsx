/** Lets a visitor write nothing for a time, shows who may not write now, and lets them write again. */
import { useEffect } from 'preact/hooks';
import type { AgentClient, Block, BlockReason, ConvItem } from '../model';
import { t } from '../i18n/console';
import { t as more } from '../i18n/handling';
import { t as shared } from '../i18n/shared';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { useSignal } from '../ui/signals';
import { full } from '../ui/time';
import { nameOf } from './conversations';
import { useConsole } from './useConsole';
import './LabelsDialog.css';

const DAY = 86_400_000;
const DAYS = [1, 7, 30, 365] as const;
const REASONS: readonly BlockReason[] = ['spam', 'abuse', 'other'];

export function BlockDialog({ client, item, onClose }: { client: AgentClient; item: ConvItem; onClose: () => void }) {
  const state = useConsole();
  const days = useSignal<number>(1);
  const reason = useSignal<BlockReason>('spam');
  const list = useSignal<readonly Block[] | null>(null);
  const load = () => state.acts.run(async () => (list.value = await client.blocks()));
  useEffect(() => void load(), []);
  const go = () =>
    state.acts.once('block', async () => {
      await client.block(item.id, Date.now() + days.peek() * DAY, reason.peek());
      await load();
      onClose();
    });
  const free = (one: Block) =>
    state.acts.once(`free ${one.visitor}`, async () => {
      await client.block(one.conv, null);
      await load();
    });
  return (
    <Dialog
      title={more('blockTitle', { name: nameOf(item) })}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{shared('cancel')}</Button>
          <Button kind="danger" busy={state.acts.isBusy('block')} onClick={() => void go()}>
            {more('block')}
          </Button>
        </>
      }
    >
      <p class="c-lead">{more('blockText')}</p>
      <fieldset class="c-choices">
        <legend>{more('blockFor')}</legend>
        {DAYS.map((n) => (
          <label key={n} class="c-choice">
            <input type="radio" name="days" checked={days.value === n} onChange={() => (days.value = n)} />
            {n === 365 ? more('aYear') : more('days', { n })}
          </label>
        ))}
      </fieldset>
      <fieldset class="c-choices">
        <legend>{more('blockWhy')}</legend>
        {REASONS.map((one) => (
          <label key={one} class="c-choice">
            <input type="radio" name="why" checked={reason.value === one} onChange={() => (reason.value = one)} />
            {more(`why.${one}`)}
          </label>
        ))}
      </fieldset>
      {list.value && list.value.length > 0 && (
        <section>
          <h3>{more('blockedNow')}</h3>
          {list.value.map((one) => (
            <div key={one.visitor} class="c-labelrow">
              <span class="k-grow">
                {t('visitorN', { id: one.conv.slice(0, 4) })} ·{' '}
                {more('blockedUntil', { at: full(one.until), why: more(`why.${one.reason}`), by: one.by })}
              </span>
              <Button size="sm" busy={state.acts.isBusy(`free ${one.visitor}`)} onClick={() => void free(one)}>
                {more('unblock')}
              </Button>
            </div>
          ))}
        </section>
      )}
    </Dialog>
  );
}
