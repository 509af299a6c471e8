/**
 * One customer on several devices, for whom the site's backend vouched in the first words of each conversation: colleagues see one person,
 * and when an agent has the conversation from one device, that device may read what the customer wrote on the others. No click is asked
 * for: whether it is the same customer is a matter of signatures, which this page has verified, and not of judgement.
 */
import { b64u, equal, sized, unhex } from '../crypto/bytes';
import { grant, MAX_GRANT } from '../crypto/grant';
import { BoxKind } from '../crypto/hash';
import type { Http } from '../link/http';
import type { Conv, ConvItem, Message } from '../model';
import { exportKeys } from './agent-log';
import type { Conversation } from './conversation';
import type { Engine } from './engine';
import type { PersonTags } from './person-tags';

/** After a failure, ms. */
const AGAIN_MS = 30_000;
/** Most other conversations that one device is given. */
const MAX_SHARED = 20;

interface Host {
  readonly http: Http;
  readonly engine: Engine;
  readonly tags: PersonTags;
  token(): string;
  others(conv: string): Promise<readonly Conv[]>;
  /** What is on screen, or listed, is followed on. */
  done(conv: string): void;
}

/** Whom the first words name, if nothing later names anybody else. */
export function firstPerson(messages: readonly Pick<Message, 'form'>[]): string | null {
  const first = messages.find((m) => m.form)?.form?.judged?.person;
  const same = messages.every((m) => !m.form?.judged?.person || m.form.judged.person.sub === first?.sub);
  return (same && first?.sub) || null;
}

export class Persons {
  /** Conversations whose person the server was told, and those whose device has the others. */
  private readonly told = new Set<string>();
  private readonly shared = new Set<string>();
  private work: Promise<void> = Promise.resolve();
  private over = false;

  constructor(private readonly h: Host) {}

  /** The list changed. */
  look(items: readonly ConvItem[]): void {
    for (const { id, person, tabs } of items) {
      if (!person || (this.told.has(id) && (!tabs.mine || this.shared.has(id)))) continue;
      const thread = this.h.engine.conversations.get(id);
      const sub = thread?.synced.value && firstPerson(thread.messages.value);
      if (!thread || !sub) continue;
      this.told.add(id);
      if (tabs.mine) this.shared.add(id);
      // one after the other; what fails is tried again with a change of the list that comes later
      this.work = this.work
        .then(() => (this.over ? undefined : this.tell(thread, sub, tabs.mine)))
        .catch((e: unknown) => {
          console.error('kefu: one person on several devices:', e);
          setTimeout(() => {
            this.told.delete(id);
            this.shared.delete(id);
          }, AGAIN_MS);
        });
    }
  }

  dispose(): void {
    this.over = true;
  }

  private async tell(thread: Conversation, sub: string, mine: boolean): Promise<void> {
    const { h } = this;
    const conv = thread.conv.value;
    const team = thread.log.epochs.current?.team;
    if (!conv || !team) return;
    const tag = await h.tags.of(team, conv.site, sub);
    await h.http.post(`/conversations/${thread.id}/person`, { tag }, h.token());
    if (!mine) return;
    const elsewhere = (await h.others(thread.id)).filter(
      (c) => c.site === conv.site && c.team === conv.team && c.ed !== conv.ed,
    );
    for (const c of elsewhere.slice(0, MAX_SHARED)) await this.share(c, thread, sub);
  }

  /** The device of `to` may read `c`, if that is the same person's. The server named it; its own first words decide. */
  private async share(c: Conv, to: Conversation, sub: string): Promise<void> {
    const { engine, http } = this.h;
    const from = engine.conversation(c.id, c);
    engine.follow(c.id);
    try {
      await from.until(() => from.synced.value);
      const x = to.log.epochs.visitor?.x;
      if (!x || !equal(x, sized(to.conv.value?.x, 32)) || firstPerson(from.messages.value) !== sub) return;
      const keys = await exportKeys(engine.context, from.log);
      if (!keys.length) return;
      const { backend, me } = engine.context;
      const recipient = { kind: BoxKind.visitor, pk: x };
      const sealed = await grant(backend, unhex(c.id), keys.slice(-MAX_GRANT), recipient, me);
      await http.post(`/conversations/${c.id}/readers`, { device: to.id, grant: b64u(sealed) }, this.h.token());
    } finally {
      this.h.done(c.id);
    }
  }
}
