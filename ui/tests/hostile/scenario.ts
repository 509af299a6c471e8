/**
 * One honest conversation from its first word to its last: the robot's part, a person who takes over, questions and answers, a note,
 * a recall, a transfer, its end and its second beginning. Nobody here knows of an attack; a step that an attack keeps from happening is given
 * up after a while, as a person would.
 */
import { rest, until } from './clock';
import { VisitorPage } from './pages';
import type { World } from './world';

export const STEPS = [
  'open',
  'hello',
  'robot',
  'ask',
  'take',
  'reply',
  'recall',
  'note',
  'talk',
  'transfer',
  'answer',
  'close',
  'reopen',
  'end',
] as const;
export type Step = (typeof STEPS)[number];

const blocked = (w: World): boolean =>
  !w.agent || w.agent.alarmed(w.conv) || w.agent.client.session.value !== 'signed-in';

/** The agent of the moment writes, if there is one who can. */
async function agentSays(w: World, what: string, note = false): Promise<string> {
  if (blocked(w) || !w.conv) return '';
  const text = await w.say(w.agent!.who, what, note);
  if (!note) await w.hears('visitor', text);
  return text;
}

async function visitorSays(w: World, what: string): Promise<string> {
  if (!w.visitor.client.site.value || w.visitor.alarmed()) return '';
  const text = await w.say('visitor', what);
  if (w.agent) await w.hears(w.agent.who, text);
  return text;
}

async function takeOver(w: World, user: 'li' | 'wu'): Promise<void> {
  if (!w.conv) return;
  w.agent = w.agents.get(user) ?? (await w.openAgent(user));
  const { conv } = w;
  if (blocked(w)) return;
  const t = w.agent.thread(conv);
  await until(() => t?.synced.value === true || w.agent!.alarmed(conv), 3_000);
  await w.agent.client.take(conv).catch(() => undefined);
  await until(() => t?.blocked.value === null, 3_000);
  await rest();
}

const DO: Record<Step, (w: World) => Promise<unknown>> = {
  async open(w) {
    w.visitor = new VisitorPage(w.server);
    await until(() => w.visitor.client.site.value !== null || w.visitor.alarmed());
  },
  async hello(w) {
    if (!w.visitor.client.site.value) return;
    const name = w.word('name');
    w.said.set(name, { by: 'visitor', kind: 'form', conv: '' });
    w.visitor.client.start({ name });
    await visitorSays(w, 'hello');
    w.said.get(name)!.conv = w.conv;
  },
  async robot(w) {
    if (!w.conv || w.stored!.conv.owner !== 'robot') return;
    const text = await w.robotSays('what is it about?');
    if (text) await w.hears('visitor', text);
  },
  async ask(w) {
    await visitorSays(w, 'my card is gone');
    if (w.stored?.conv.owner === 'robot') await w.robotSays('one moment');
    await rest();
  },
  take: (w) => takeOver(w, 'li'),
  async reply(w) {
    await agentSays(w, 'shall I CANCEL it?');
    await visitorSays(w, 'yes');
  },
  note: (w) => agentSays(w, 'sounds upset', true),
  async recall(w) {
    const text = await visitorSays(w, 'oops');
    const { conv } = w;
    const line = w.visitor.messages().find((m) => m.text === text && m.mine);
    if (!text || !line || line.state === 'queued') return;
    w.recalled.add(text);
    await Promise.race([w.visitor.client.recall(line.id).catch(() => undefined), until(() => false, 2_000)]);
    await until(() => !w.visitor.shows(conv, (m) => m.text === text), 2_000);
    await rest();
  },
  async talk(w) {
    await agentSays(w, 'it is cancelled');
    await visitorSays(w, 'and the new card?');
    await agentSays(w, 'a colleague knows');
  },
  async transfer(w) {
    if (blocked(w) || !w.conv) return;
    w.look('li');
    await Promise.race([
      w.agent!.client.transfer(w.conv, { team: 'vip' }).catch(() => undefined),
      until(() => false, 4_000),
    ]);
    await rest();
    if (w.stored!.conv.team !== 'vip') return;
    w.leave('li');
    await takeOver(w, 'wu');
  },
  async answer(w) {
    await agentSays(w, 'it is in the mail');
    await visitorSays(w, 'thank you');
  },
  async close(w) {
    if (blocked(w) || !w.conv) return;
    await Promise.race([w.agent!.client.close(w.conv).catch(() => undefined), until(() => false, 2_000)]);
    await rest();
  },
  async reopen(w) {
    await visitorSays(w, 'one thing more');
    if (w.agent) await takeOver(w, w.agent.who as 'li' | 'wu');
    await agentSays(w, 'yes?');
  },
  async end(w) {
    await visitorSays(w, 'my number is 6222020200112233');
    await agentSays(w, 'good bye');
    await rest();
  },
};

export const step = (w: World, name: Step): Promise<unknown> => DO[name](w);
