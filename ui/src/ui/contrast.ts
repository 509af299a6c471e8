/** A colour chosen by a site, made readable: WCAG contrast on both themes. */

type Rgb = [number, number, number];

function parse(hex: string): Rgb | null {
  const m = /^#?([0-9a-f]{6}|[0-9a-f]{3})$/i.exec(hex.trim());
  if (!m) return null;
  const s = m[1]!.length === 3 ? [...m[1]!].map((c) => c + c).join('') : m[1]!;
  return [0, 2, 4].map((i) => parseInt(s.slice(i, i + 2), 16)) as Rgb;
}

function luminance(rgb: Rgb): number {
  const [r, g, b] = rgb.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4)) as Rgb;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(a: Rgb, b: Rgb): number {
  const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p) as [number, number];
  return (x + 0.05) / (y + 0.05);
}

const mix = (a: Rgb, b: Rgb, part: number): Rgb => a.map((v, i) => Math.round(v + (b[i]! - v) * part)) as Rgb;
const css = (rgb: Rgb): string => `rgb(${rgb.join(' ')})`;
const WHITE: Rgb = [255, 255, 255];
const BLACK: Rgb = [0, 0, 0];
const DARK_BG: Rgb = [21, 26, 32];

/** Custom properties for a `#rgb` or `#rrggbb`; null if it is neither (the tokens then apply). */
export function accentTokens(hex: string, dark: boolean): Record<string, string> | null {
  const fill = parse(hex);
  if (!fill) return null;
  const bg = dark ? DARK_BG : WHITE;
  let text = fill;
  for (let part = 0; contrast(text, bg) < 4.5 && part <= 1; part += 0.1) text = mix(fill, dark ? WHITE : BLACK, part);
  return {
    '--k-accent': css(fill),
    '--k-accent-hover': css(mix(fill, BLACK, 0.14)),
    '--k-on-accent': contrast(fill, WHITE) >= contrast(fill, [17, 24, 32]) ? '#fff' : '#111820',
    '--k-accent-text': css(text),
    '--k-accent-soft': css(mix(fill, bg, dark ? 0.82 : 0.9)),
  };
}
