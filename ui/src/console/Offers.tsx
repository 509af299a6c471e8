/** Conversations offered to this agent: a card that rings until it is accepted, declined or gone. */
import { useEffect } from 'preact/hooks';
import type { AgentClient, Offer } from '../model';
import { t } from '../i18n/console';
import { Avatar } from '../ui/bits';
import { Button } from '../ui/Button';
import { useSignal } from '../ui/signals';
import { duration } from '../ui/time';
import { actOnce, isBusy } from './act';
import { previewOf } from './ListItem';
import { nameOf, select, tab } from './state';

export function Offers({ client }: { client: AgentClient }) {
  return (
    <section class="c-offers" aria-label={t('offers')} aria-live="assertive">
      {client.offers.value.map((offer) => (
        <OfferCard key={offer.conv} client={client} offer={offer} />
      ))}
    </section>
  );
}

/** Accepting also opens it. */
export async function accept(client: AgentClient, conv: string): Promise<void> {
  if (!(await actOnce(`offer ${conv}`, () => client.accept(conv)))) return;
  tab.value = 'mine';
  select(conv);
}

export function decline(client: AgentClient, conv: string): void {
  void actOnce(`offer ${conv}`, () => client.decline(conv));
}

function OfferCard({ client, offer }: { client: AgentClient; offer: Offer }) {
  const at = useSignal(Date.now());
  useEffect(() => {
    const timer = setInterval(() => (at.value = Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  const item = client.conversations.value.find((one) => one.id === offer.conv);
  const name = nameOf(item ?? { id: offer.conv });
  const site = item && (client.sites.value[item.conv.site] ?? item.conv.site);
  const busy = isBusy(`offer ${offer.conv}`);
  return (
    <article class="c-offer">
      <div class="c-offer-who">
        <span class="c-ring">
          <Avatar name={name} />
        </span>
        <div class="k-grow">
          <p class="c-offer-title">
            {t('offer')}
            <span role="timer">{t('offerLeft', { time: duration(offer.until - at.value) })}</span>
          </p>
          <p>
            <bdi>{name}</bdi> {site && <small>{t('offerFrom', { site })}</small>}
          </p>
        </div>
      </div>
      {item?.last?.text && (
        <p class="c-offer-preview" dir="auto">
          {previewOf(item.last)}
        </p>
      )}
      <div class="c-offer-acts">
        <Button size="sm" disabled={busy} onClick={() => decline(client, offer.conv)}>
          {t('decline')}
        </Button>
        <Button size="sm" kind="primary" busy={busy} onClick={() => void accept(client, offer.conv)}>
          {t('accept')}
        </Button>
      </div>
    </article>
  );
}
