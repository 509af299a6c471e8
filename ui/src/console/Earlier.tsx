/** Other conversations of the same visitor: when they were, and the way there. */
import { useEffect } from 'preact/hooks';
import type { AgentClient, Conv } from '../model';
import { t } from '../i18n/console';
import { useSignal } from '../ui/signals';
import { full } from '../ui/time';
import { useConsole } from './useConsole';

/** So many are shown; the newest first. */
const SHOWN = 10;

export function Earlier({ client, conv, as: Head }: { client: AgentClient; conv: string; as: 'h2' | 'h3' }) {
  const state = useConsole();
  const others = useSignal<readonly Conv[]>([]);
  const online = client.connection.value.state === 'online';
  useEffect(() => {
    let here = true;
    // it is a convenience: without an answer nothing is shown
    if (online)
      client.others(conv).then(
        (list) => here && (others.value = list),
        () => undefined,
      );
    return () => {
      here = false;
    };
  }, [client, conv, online]);
  if (!others.value.length) return null;
  return (
    <section class="c-part">
      <Head>{t('earlier', { n: others.value.length })}</Head>
      <ul class="c-earlier">
        {others.value.slice(0, SHOWN).map((c) => (
          <li key={c.id}>
            <button type="button" class="k-link" onClick={() => state.select(c.id)}>
              {full(c.created)}
            </button>{' '}
            <small>{t(c.state === 'closed' ? 'ownerNone' : 'earlierOpen')}</small>
          </li>
        ))}
      </ul>
    </section>
  );
}
