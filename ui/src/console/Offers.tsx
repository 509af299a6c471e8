/** Conversations offered to this agent: a card that rings until it is accepted, declined or gone. */
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import type { AgentClient, ConvItem, Offer } from '../model';
import { t } from '../i18n/console';
import { Avatar } from '../ui/Avatar';
import { Button } from '../ui/Button';
import { short } from '../ui/readable';
import { useSignal } from '../ui/signals';
import { duration } from '../ui/time';
import { previewOf } from './ListItem';
import type { ConsoleState } from './state';
import { nameOf } from './conversations';
import { useConsole } from './useConsole';

/** Characters of a reason on a card. */
const MAX_REASON = 200;

export function Offers({ client }: { client: AgentClient }) {
  return (
    <section class="c-offers" aria-label={t('offers')} aria-live="assertive">
      {client.offers.value.map((offer) => (
        <OfferCard key={offer.conv} client={client} offer={offer} />
      ))}
      {client.conversations.value.filter(isHandedToMe).map((item) => (
        <HandedCard key={item.id} client={client} item={item} />
      ))}
    </section>
  );
}

/** A colleague handed it to this agent, who has not opened it yet. */
export const isHandedToMe = (item: ConvItem): boolean =>
  item.tabs.mine && item.conv.state === 'open' && item.unread > 0 && item.handed !== null;

function HandedCard({ client, item }: { client: AgentClient; item: ConvItem }) {
  const state = useConsole();
  const { by, reason } = item.handed!;
  const open = () => {
    state.tab.value = 'mine';
    state.select(item.id);
  };
  return (
    <article class="c-offer">
      <Who client={client} item={item} title={t('handed')} from={t('handedBy', { name: by })} />
      {reason && (
        <p class="c-offer-preview" dir="auto">
          {t('handedWhy', { reason: short(reason, MAX_REASON) })}
        </p>
      )}
      <Words item={item} />
      <div class="c-offer-acts">
        <Button size="sm" kind="primary" onClick={open}>
          {t('open')}
        </Button>
      </div>
    </article>
  );
}

function Who({
  client,
  item,
  title,
  from,
  conv = item?.id ?? '',
}: {
  client: AgentClient;
  item: ConvItem | undefined;
  title: string;
  from: ComponentChildren;
  conv?: string;
}) {
  const name = nameOf(item ?? { id: conv });
  const site = item && (client.sites.value[item.conv.site] ?? item.conv.site);
  return (
    <div class="c-offer-who">
      <span class="c-ring">
        <Avatar name={name} />
      </span>
      <div class="k-grow">
        <p class="c-offer-title">
          {title}
          {from && <span>{from}</span>}
        </p>
        <p>
          <bdi>{name}</bdi> {site && <small>{t('offerFrom', { site })}</small>}
        </p>
      </div>
    </div>
  );
}

function Words({ item }: { item: ConvItem | undefined }) {
  return item?.last && previewOf(item.last) ? (
    <p class="c-offer-preview" dir="auto">
      {previewOf(item.last)}
    </p>
  ) : null;
}

/** Accepting also opens it. */
export async function accept(state: ConsoleState, client: AgentClient, conv: string): Promise<void> {
  if (!(await state.acts.once(`offer ${conv}`, () => client.accept(conv)))) return;
  state.tab.value = 'mine';
  state.select(conv);
}

export function decline(state: ConsoleState, client: AgentClient, conv: string): void {
  void state.acts.once(`offer ${conv}`, () => client.decline(conv));
}

function OfferCard({ client, offer }: { client: AgentClient; offer: Offer }) {
  const state = useConsole();
  const at = useSignal(Date.now());
  useEffect(() => {
    const timer = setInterval(() => (at.value = Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  const item = client.conversations.value.find((one) => one.id === offer.conv);
  const left = <span role="timer">{t('offerLeft', { time: duration(offer.until - at.value) })}</span>;
  const busy = state.acts.isBusy(`offer ${offer.conv}`);
  return (
    <article class="c-offer">
      <Who client={client} item={item} conv={offer.conv} title={t('offer')} from={left} />
      {item?.handed && <p class="c-offer-by">{t('handedBy', { name: item.handed.by })}</p>}
      <Words item={item} />
      <div class="c-offer-acts">
        <Button size="sm" disabled={busy} onClick={() => decline(state, client, offer.conv)}>
          {t('decline')}
        </Button>
        <Button size="sm" kind="primary" busy={busy} onClick={() => void accept(state, client, offer.conv)}>
          {t('accept')}
        </Button>
      </div>
    </article>
  );
}
