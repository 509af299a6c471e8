/** A conversation as a page: for people, to read and to print. One file without scripts and without anything to fetch. */
import { lang } from '../i18n/core';
import { t } from '../i18n/history';
import { t as shared } from '../i18n/shared';
import { day, dayOf, clock, full } from '../ui/time';
import { unpiled } from '../ui/readable';
import { plainName } from '../files/names';
import { counts, type ExportedConversation, type ExportedEvent, type ExportedMessage } from './conversation';

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Text of strangers stands in elements and in quoted attributes only. */
export const escapeHtml = (s: string): string => s.replace(/[&<>"']/g, (c) => ESCAPES[c]!);
const text = (s: unknown): string => escapeHtml(unpiled(typeof s === 'string' ? s : ''));

const STYLE = `
:root { color-scheme: light dark; }
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; font: 15px/1.6 system-ui, "PingFang SC", "Microsoft YaHei", sans-serif; }
header { border-bottom: 1px solid #8886; margin-bottom: 1rem; }
h1 { font-size: 1.25rem; } h2 { font-size: .85rem; text-align: center; opacity: .75; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .1rem 1rem; font-size: .85rem; }
dt { opacity: .75; } dd { margin: 0; overflow-wrap: anywhere; }
article { margin: .6rem 0; padding: .5rem .8rem; border-radius: .6rem; background: #8882; break-inside: avoid; }
article.agent { border-inline-start: 3px solid #14548c; } article.robot { border-inline-start: 3px dashed #14548c; }
article.note { background: #e3cf7a44; }
article p { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.who { font-size: .8rem; opacity: .8; } .event, .bad { font-size: .85rem; opacity: .8; }
.event { text-align: center; margin: .4rem 0; } .bad { font-style: italic; }
@media print { body { margin: 0; } article { border: 1px solid #8886; } }
`;

const WHY = {
  not_valid: 'broken',
  locked: 'noKey',
  taken_back: 'recalledOther',
  removed: 'removed',
  newer: 'newer',
} as const;

/** Texts that replaced this one, in their order; the last is the present one. */
type Edits = readonly ExportedMessage[];

function words(m: ExportedMessage, edits: Edits): string {
  if (m.status !== 'good') return `<p class="bad">${text(shared(WHY[m.status]))}</p>`;
  const { body } = m;
  switch (body?.t) {
    case 'form':
      return Object.entries(body.fields ?? {})
        .filter(([, value]) => value)
        .map(([name, value]) => `<p>${text(name)}: ${text(value)}</p>`)
        .join('');
    case 'file':
      return `<p>📎 ${text(plainName(String(body.name)))}</p>${body.text ? `<p dir="auto">${text(body.text)}</p>` : ''}`;
    default: {
      const all = [m, ...edits].map(({ body: b }) => (b && 'text' in b ? b.text : ''));
      const now = `<p dir="auto">${text(all.pop())}</p>`;
      const before = all.map((one) => `<p dir="auto">${text(one)}</p>`).join('');
      return before ? `${now}<details><summary>${text(t('htmlEdited'))}</summary>${before}</details>` : now;
    }
  }
}

function article(m: ExportedMessage, edits: Edits, visitor: string): string {
  const side = m.from.side;
  const name = side === 'visitor' ? visitor : (m.from.name ?? (side === 'robot' ? shared('robot') : shared('agent')));
  const note = m.kind === 'note' ? ` · ${text(t('note'))}` : '';
  const gap = m.gap ? `<p class="bad">${text(shared('missing'))}</p>` : '';
  const kind = m.kind === 'note' ? 'note' : side;
  return `${gap}<article class="${kind}"><p class="who"><bdi>${text(name)}</bdi> · <time>${clock(m.at)}</time>${note}</p>${words(m, edits)}</article>`;
}

/** `eventText`: a sentence for a fact of the server, '' for none. */
export function conversationHtml(
  c: ExportedConversation,
  visitor: string,
  site: string,
  eventText: (event: ExportedEvent) => string,
): string {
  const { good, bad, locked } = counts(c);
  let today: number | null = null;
  const edits = new Map<string, ExportedMessage[]>();
  for (const line of c.lines)
    if (line.kind !== 'event' && line.replaces !== undefined && line.status === 'good')
      edits.set(line.replaces, [...(edits.get(line.replaces) ?? []), line]);
  const shown = c.lines.filter((line) => line.kind === 'event' || line.replaces === undefined);
  const lines = shown.map((line) => {
    const head = dayOf(line.at) === today ? '' : `<h2>${day(line.at)}</h2>`;
    today = dayOf(line.at);
    if (line.kind !== 'event') return head + article(line, edits.get(line.msg ?? '') ?? [], visitor);
    const said = eventText(line);
    return head + (said && `<p class="event"><time>${clock(line.at)}</time> ${text(said)}</p>`);
  });
  const facts: [string, string][] = [
    [t('site'), site],
    [t('htmlConversation'), c.conv],
    [t('htmlFingerprint'), c.org],
    [t('htmlExported'), `${full(c.exported.at)} · ${c.exported.by}`],
    [t('htmlChecked'), bad ? t('htmlBad', { n: bad, good }) : t('htmlGood', { n: good })],
    ...(locked ? [[t('htmlLocked'), String(locked)] as [string, string]] : []),
  ];
  return `<!doctype html>
<html lang="${lang.value}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<meta name="referrer" content="no-referrer">
<title>${text(`${visitor} · ${c.company}`)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>${text(`${visitor} · ${c.company}`)}</h1>
<dl>${facts.map(([name, value]) => `<dt>${text(name)}</dt><dd>${text(value)}</dd>`).join('')}</dl>
</header>
<main>
${lines.join('\n')}
</main>
</body>
</html>
`;
}
