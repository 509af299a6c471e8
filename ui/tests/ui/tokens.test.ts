import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { contrast } from '../../src/ui/contrast';

const source = readFileSync(new URL('../../src/ui/tokens.css', import.meta.url), 'utf8');
const [light, dark] = [0, 1].map((theme) => {
  const css = source.split('@media (prefers-color-scheme: dark)')[theme]!;
  return Object.fromEntries([...css.matchAll(/--k-([\w-]+): #([0-9a-f]{6});/g)].map((m) => [m[1]!, m[2]!]));
});
const rgb = (hex: string) => [0, 2, 4].map((i) => parseInt(hex.slice(i, i + 2), 16)) as [number, number, number];

/** Text on ground: 4.5 to 1 (WCAG AA). */
const TEXT = [
  ...['bg', 'sunken', 'raised'].flatMap((ground) =>
    ['text', 'text-2', 'text-3', 'accent-text', 'danger'].map((text) => [text, ground]),
  ),
  ['text', 'bubble'],
  ['accent-text', 'bubble'],
  ['text', 'accent-soft'],
  ['text', 'hover'],
  ['text-2', 'hover'],
  ['on-accent', 'accent'],
  ['on-accent', 'accent-hover'],
  ['accent-text', 'accent-soft'],
  ['text-3', 'accent-soft'],
  ['ok', 'ok-soft'],
  ['ok', 'bg'],
  ['warn', 'warn-soft'],
  ['warn', 'bg'],
  ['danger', 'danger-soft'],
  ['text', 'danger-soft'],
  ['text', 'note'],
  ['text-3', 'note'],
] as [string, string][];
/** Borders of fields and states: 3 to 1. */
const SHAPES = [
  ['line-strong', 'bg'],
  ['ok', 'bg'],
  ['busy', 'bg'],
] as [string, string][];
/** What is filled, or outlined, and identified by its text: the shape must be visible, too. */
const FILLS = [
  ['bubble', 'bg'],
  ['note-line', 'bg'],
  ['accent', 'bg'],
] as [string, string][];

describe.each([
  ['light', light],
  ['dark', { ...light, ...dark }],
] as [string, Record<string, string>][])('colours of the %s theme', (_, tokens) => {
  it.each(TEXT)('%s is readable on %s', (text, ground) => {
    expect(contrast(rgb(tokens[text]!), rgb(tokens[ground]!))).toBeGreaterThanOrEqual(4.5);
  });
  it.each(SHAPES)('%s is seen on %s', (shape, ground) => {
    expect(contrast(rgb(tokens[shape]!), rgb(tokens[ground]!))).toBeGreaterThanOrEqual(3);
  });
  it.each(FILLS)('%s stands out from %s', (fill, ground) => {
    expect(contrast(rgb(tokens[fill]!), rgb(tokens[ground]!))).toBeGreaterThanOrEqual(1.3);
  });
});

it('buttons of the dark theme do not glare', () => {
  const tokens = { ...light, ...dark };
  for (const fill of ['accent', 'accent-hover'])
    expect(contrast(rgb(tokens[fill]!), rgb(tokens.bg!)), fill).toBeLessThan(3);
});

describe('avatars', () => {
  const css = ['Avatar', 'contrast']
    .map((f) => readFileSync(new URL(`../../src/ui/${f}.css`, import.meta.url), 'utf8'))
    .join('');
  const pairs = [
    ...css.matchAll(/background: hsl\(var\(--k-hue\) (\d+)% (\d+)%\);\s+color: hsl\(var\(--k-hue\) (\d+)% (\d+)%\)/g),
  ].map((m) => m.slice(1).map((n) => Number(n) / 100));
  const hsl = (h: number, s: number, l: number): [number, number, number] => {
    const one = (n: number) =>
      l - s * Math.min(l, 1 - l) * Math.max(-1, Math.min(((n + h / 30) % 12) - 3, 9 - ((n + h / 30) % 12), 1));
    return [one(0) * 255, one(8) * 255, one(4) * 255];
  };
  it('are readable in every colour, light and dark', () => {
    expect(pairs).toHaveLength(2);
    for (const [bs, bl, fs, fl] of pairs)
      for (let h = 0; h < 360; h++)
        expect(contrast(hsl(h, fs!, fl!), hsl(h, bs!, bl!)), `hue ${h}`).toBeGreaterThanOrEqual(4.5);
  });
});
