/** A text in the place of another, and a text that quotes one: what readers accept, and what becomes of both. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { ConversationContext } from '../src/client/context';
import type { ConversationLog } from '../src/client/conversation-log';
import { Timeline } from '../src/client/timeline';
import { hex } from '../src/crypto/bytes';
import type { SigningKey } from '../src/crypto/backend';
import { envelopeHash } from '../src/crypto/hash';
import type { Message } from '../src/model';
import { EDIT_MS, Envelope, type WireRecord } from '../src/proto';
import { lines, texts, until } from './support/clients';
import { read, Talk } from './support/talk';
import { agent, begin, server } from './support/world';

let t: Talk;
let begun: WireRecord[];

beforeEach(async () => {
  t = await Talk.create();
  begun = [t.opening(), await t.epoch(t.visitor.ed)];
});

const idOf = (r: WireRecord): string => Envelope.parse(r.body)!.msg;
const hashOf = (r: WireRecord): string => hex(envelopeHash(r.body));

async function edit(of: WireRecord, text: string, by: SigningKey = t.li.ed, hash = hashOf(of)): Promise<WireRecord> {
  return t.say('', by, { body: { t: 'text', ts: 0, text, edit: { msg: idOf(of), hash } } });
}

function render(log: ConversationLog): Message[] {
  const { context } = log as unknown as { context: ConversationContext };
  const all = new Timeline(context, log).render([], Infinity, { delivered: 0, read: 0 }, () => true);
  return all.filter((m) => m.kind !== 'event');
}
const shown = async (records: readonly WireRecord[], who: 'visitor' | 'agent' = 'visitor'): Promise<string[]> => {
  const log = await t.reader(who === 'visitor' ? 'visitor' : t.li);
  await read(log, records);
  return render(log).map((m) => `${m.kind}:${m.text}${m.edited ? ` was ${m.edited.join(', ')}` : ''}`);
};

describe('a changed text', () => {
  it('stands at the place of the first, for both sides; the earlier ones can be read', async () => {
    const a = await t.say('pric', t.li.ed);
    const records = [...begun, a, await t.say('thanks'), await edit(a, 'price'), await edit(a, 'the price')];
    for (const who of ['visitor', 'agent'] as const)
      expect(await shown(records, who)).toEqual(['text:the price was pric, price', 'text:thanks']);
  });

  it('is a message like others if it is another person’s, too late, of another envelope, or of nothing', async () => {
    const a = await t.say('hello', t.li.ed);
    const theirs = await t.say('question');
    const foreign = await edit(theirs, 'foreign');
    const hash = await edit(a, 'another envelope', t.li.ed, '00'.repeat(16));
    const late = await edit(a, 'late');
    const twice = await edit(hash, 'an edit of it', t.li.ed);
    const records = [...begun, a, theirs, foreign, hash, { ...late, at: a.at + EDIT_MS + 1 }, twice];
    expect(await shown(records)).toEqual([
      'text:hello',
      'text:question',
      'text:foreign',
      'text:an edit of it was another envelope',
      'text:late',
    ]);
    const edits = [null, 1, 'x', {}, { msg: 5, hash: [] }, { msg: idOf(a) }];
    for (const junk of edits) {
      const odd = await t.say('', t.li.ed, { body: { t: 'text', ts: 0, text: 'odd', edit: junk as never } });
      expect((await shown([...begun, a, odd])).length).toBe(2);
    }
  });

  it('goes with the first when that is taken back, whoever reads it and when', async () => {
    const a = await t.say('secret', t.li.ed);
    const b = await edit(a, 'secret too');
    const back = await t.recall(a, t.li.ed);
    const log = await t.reader('visitor');
    await read(log, [...begun, a, b], true);
    expect(render(log).map((m) => m.text)).toEqual(['secret too']);
    await read(log, [back], true);
    expect(render(log).map((m) => [m.kind, m.text, m.edited])).toEqual([['recalled', '', undefined]]);
    expect(await shown([...begun, t.left(a), b, back])).toEqual(['recalled:']);
  });

  it('taken back with the first leaves no third line, also to who reads it later', async () => {
    const a = await t.say('secret', t.li.ed);
    const b = await edit(a, 'secret too');
    const gone = [...begun, t.left(a), t.left(b), await t.say('ok')];
    const back = [await t.recall(b, t.li.ed), await t.recall(a, t.li.ed)];
    expect(await shown([...gone, ...back])).toEqual(['recalled:', 'recalled:', 'text:ok']);
    // what no recall explains is still a gap
    expect((await shown([...gone, back[0]!])).length).toBe(4);
  });

  it('is shown as a text of its own by pages that know of no changes', async () => {
    const a = await t.say('pric', t.li.ed);
    expect(await read(await t.reader('visitor'), [...begun, a, await edit(a, 'price')])).toEqual([
      'message:pric',
      'message:price',
    ]);
  });
});

describe('a quote', () => {
  it('shows what the message says now, and nothing of it once it is gone', async () => {
    const a = await t.say('how much?');
    const body = { t: 'text', ts: 0, text: '5 yuan', re: idOf(a) } as const;
    const b = await t.say('', t.li.ed, { body });
    const c = await edit(b, '6 yuan');
    const log = await t.reader('visitor');
    await read(log, [...begun, a, b, c], true);
    expect(render(log)[1]!.quote).toEqual({ id: idOf(a), text: 'how much?' });
    const d = await t.say('', t.visitor.ed, { body: { t: 'text', ts: 0, text: 'ok', re: idOf(b) } });
    await read(log, [d], true);
    expect(render(log)[2]!.quote!.text).toBe('6 yuan');
    await read(log, [await t.recall(b, t.li.ed), await t.recall(a, t.visitor.ed)], true);
    expect(render(log).map((m) => m.quote?.text)).toEqual([undefined, undefined, '']);
    for (const re of [5, null, {}, 'nothing'])
      await read(log, [await t.say('', t.li.ed, { body: { t: 'text', ts: 0, text: 'x', re: re as never } })]);
    expect(render(log)).toHaveLength(7);
  });
});

describe('an agent', () => {
  it('changes what they wrote, within two minutes, and takes all of it back', async () => {
    const v = await begin();
    const a = await agent();
    const [conv] = [...server.convs.keys()];
    const thread = a.client.open(conv!);
    server.own(conv!, 'agent:li', 'accept');
    await until(() => texts(thread).includes('hello'));
    await until(() => thread.blocked.value === null);
    await a.client.send(conv!, 'pric');
    await until(() => texts(v.client.thread.value).includes('pric'));
    const id = lines(thread).find((m) => m.text === 'pric')!.id;
    await a.client.edit(conv!, id, 'price');
    await until(() => texts(v.client.thread.value).includes('price'));
    expect(texts(v.client.thread.value)).toEqual(['hello', 'price']);
    expect(lines(thread).find((m) => m.id === id)).toMatchObject({ text: 'price', edited: ['pric'] });
    await until(() => a.client.conversations.value[0]?.last?.text === 'price');
    await a.client.recall(conv!, id);
    await until(() => lines(v.client.thread.value).some((m) => m.kind === 'recalled'));
    await until(() => a.client.conversations.value[0]?.last?.kind === 'recalled');
    expect(texts(v.client.thread.value)).toEqual(['hello']);
    await expect(a.client.edit(conv!, id, 'again')).rejects.toThrow('error.too_late');
  });
});
