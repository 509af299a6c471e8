/** What agents said about the robot's understanding, as examples to teach it: read from what this page decrypted. */
import type { Fix, Message } from '../model';

export interface Example {
  text: string;
  intent: string;
}

/** The newest judgement of each of the robot's messages. */
export function fixesIn(messages: readonly Message[]): Map<string, Fix & { by: string }> {
  const out = new Map<string, Fix & { by: string }>();
  for (const m of messages) if (m.kind === 'note' && m.fix) out.set(m.fix.msg, { ...m.fix, by: m.author?.name ?? '' });
  return out;
}

/** What the visitor wrote that the robot answered, with the intent an agent gave it. */
export function examplesIn(messages: readonly Message[]): Example[] {
  const fixes = fixesIn(messages);
  const out: Example[] = [];
  let asked: Message[] = [];
  let answered: string | undefined;
  for (const m of messages) {
    if (m.side === 'visitor' && m.kind === 'text') asked.push(m);
    if (!m.thought) continue;
    // a turn may have several messages; what came after the message it answers belongs to the next turn
    if (m.thought.re !== answered) asked = asked.slice(asked.findIndex((q) => q.id === answered) + 1);
    answered = m.thought.re;
    const upto = asked.findIndex((q) => q.id === answered) + 1;
    const text = asked.slice(0, upto).map((q) => q.text).join('\n');
    const fix = fixes.get(m.id);
    if (fix && text) out.push({ text, intent: fix.intent });
  }
  return out;
}

/** CSV as `kefu intent train` reads it. */
export function csvOf(examples: readonly Example[]): string {
  const cell = (s: string): string => `"${s.replaceAll('"', '""')}"`;
  return ['text,intent', ...examples.map((e) => `${cell(e.text)},${cell(e.intent)}`)].join('\r\n') + '\r\n';
}
