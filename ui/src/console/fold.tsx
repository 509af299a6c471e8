/** Many events in a row are one line that unfolds; the newest of them stays. */
import type { Message } from '../model';
import { t } from '../i18n/console';
import { clock } from '../ui/time';

/** So many in a row are folded. */
const MANY = 4;

export interface Folded {
  messages: Message[];
  /** What is behind a line, by its id. */
  folds: ReadonlyMap<string, readonly Message[]>;
}

/** `says`: whether an event is shown at all. What needs attention is never folded. */
export function foldEvents(all: readonly Message[], says: (m: Message) => boolean): Folded {
  const messages: Message[] = [];
  const folds = new Map<string, readonly Message[]>();
  let run: Message[] = [];
  const end = (): void => {
    const told = run.filter(says);
    if (told.length < MANY) messages.push(...run);
    else {
      const last = told.pop()!;
      const line = { ...told[0]!, id: `f${told[0]!.id}` };
      folds.set(line.id, told);
      messages.push(line, last);
    }
    run = [];
  };
  for (const m of all) {
    const plain = m.kind === 'event' && !m.thought && m.event?.t !== 'rewound' && m.event?.t !== 'moved';
    if (plain) run.push(m);
    else {
      end();
      messages.push(m);
    }
  }
  end();
  return { messages, folds };
}

export function Fold({ events, text }: { events: readonly Message[]; text: (m: Message) => string | null }) {
  return (
    <details class="c-fold">
      <summary>{t('foldedShow')}</summary>
      {events.map((m) => (
        <p key={m.id} class="k-event">
          <time>{clock(m.at)} </time>
          {text(m)}
        </p>
      ))}
    </details>
  );
}
