/** Agents' corrections of the robot, as examples to train it: read from what this page decrypted. */
import type { IntentFeedback, Message } from '../model';

export interface Example {
  text: string;
  intent: string;
}

/** The newest judgement of each of the robot's messages. */
export function feedbackIn(messages: readonly Message[]): Map<string, IntentFeedback & { by: string }> {
  const out = new Map<string, IntentFeedback & { by: string }>();
  for (const m of messages) if (m.kind === 'note' && m.fix) out.set(m.fix.msg, { ...m.fix, by: m.author?.name ?? '' });
  return out;
}

/** What the visitor wrote that the robot answered, with the intent an agent gave it. */
export function examplesIn(messages: readonly Message[]): Example[] {
  const fixes = feedbackIn(messages);
  const out: Example[] = [];
  const asked: Message[] = [];
  /** Place of each of them. */
  const place = new Map<string | undefined, number>();
  let from = 0;
  let answered: string | undefined;
  for (const m of messages) {
    if (m.side === 'visitor' && m.kind === 'text') place.set(m.id, asked.push(m) - 1);
    if (!m.thought) continue;
    // a turn may have several messages; what came after the message it answers belongs to the next turn
    if (m.thought.re !== answered) from = Math.max(from, (place.get(answered) ?? -1) + 1);
    answered = m.thought.re;
    const fix = fixes.get(m.id);
    const text =
      fix &&
      asked
        .slice(from, (place.get(answered) ?? -1) + 1)
        .flatMap((q) => q.text || [])
        .join('\n');
    if (text) out.push({ text, intent: fix.intent });
  }
  return out;
}

// One character each.
const FORMULA = /[=+\-@\t\r]/;

/**
 * CSV as `kefu intent train` reads it. What a spreadsheet would take for a formula gets an apostrophe before it, and so does
 * what looks as if it had one: reading takes off exactly one.
 */
export function csvOf(examples: readonly Example[]): string {
  const cell = (s: string): string => {
    let at = 0;
    while (s.charAt(at) === "'") at++;
    return `"${FORMULA.test(s.charAt(at)) ? "'" : ''}${s.replaceAll('"', '""')}"`;
  };
  return `${['text,intent', ...examples.map((e) => `${cell(e.text)},${cell(e.intent)}`)].join('\r\n')}\r\n`;
}
