/** What a stranger's file is, what it is called, how large it says that it is; and what is done to one's own before it is sent. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { withoutRemarks } from '../../src/files/gif';
import { endsRisky, fits, kindOf, sizeIn, type PictureType } from '../../src/files/kinds';
import { endingOf, plainName, savedName, shownName, sizeText } from '../../src/files/names';
import { secondsText } from '../../src/files/seconds';
import { look } from '../../src/files/draw';
import { PLAYER } from '../../src/files/player';
import { MAX_PICKED, Tray } from '../../src/files/tray';
import { ClientError, type Picked } from '../../src/model';

const ascii = (s: string): Uint8Array => Uint8Array.from(s, (c) => c.charCodeAt(0));
const join = (...parts: (string | number[] | Uint8Array)[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((p) => (typeof p === 'string' ? [...ascii(p)] : [...p])));
const be = (n: number, bytes = 4): number[] =>
  Array.from({ length: bytes }, (_, i) => (n / 256 ** (bytes - 1 - i)) & 255);
const le = (n: number, bytes = 2): number[] => be(n, bytes).reverse();

const png = (w: number, h: number): Uint8Array =>
  join('\x89PNG\r\n\x1a\n', be(13), 'IHDR', be(w), be(h), [8, 6, 0, 0, 0], be(0));
const jpeg = (w: number, h: number, before: Uint8Array = join()): Uint8Array =>
  join(
    [0xff, 0xd8],
    before,
    [0xff, 0xc0, 0, 17, 8],
    be(h, 2),
    be(w, 2),
    [3, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0xff, 0xda, 0, 2],
  );
const gif = (w: number, h: number, fw = w, fh = h): Uint8Array =>
  join(
    'GIF89a',
    le(w),
    le(h),
    [0x80, 0, 0],
    Array(6).fill(0),
    [0x21, 0xf9, 4, 0, 0, 0, 0, 0],
    [0x2c],
    le(0),
    le(0),
    le(fw),
    le(fh),
    [0, 2, 1, 0, 0, 0x3b],
  );
const webp = (w: number, h: number): Uint8Array =>
  join('RIFF', le(30, 4), 'WEBPVP8X', le(10, 4), [0, 0, 0, 0], le(w - 1, 3), le(h - 1, 3));

describe('what it is', () => {
  it.each<[string, Uint8Array, object]>([
    ['a PNG', png(1, 1), { is: 'picture', type: 'image/png' }],
    ['a JPEG', jpeg(1, 1), { is: 'picture', type: 'image/jpeg' }],
    ['a GIF', gif(1, 1), { is: 'picture', type: 'image/gif' }],
    ['a WebP', webp(1, 1), { is: 'picture', type: 'image/webp' }],
    ['a WAV', join('RIFF', le(0, 4), 'WAVEfmt '), { is: 'audio', type: 'audio/wav' }],
    ['an Ogg', ascii('OggS'), { is: 'audio', type: 'audio/ogg' }],
    ['an MP3 with a tag', ascii('ID3\x03'), { is: 'audio', type: 'audio/mpeg' }],
    ['an MP3', join([0xff, 0xfb, 0x90, 0]), { is: 'audio', type: 'audio/mpeg' }],
    ['a WebM', join([0x1a, 0x45, 0xdf, 0xa3, 0x9f, 0x42, 0x82, 0x84], 'webm'), { is: 'video', type: 'video/webm' }],
    ['an M4A', join(be(24), 'ftypM4A '), { is: 'audio', type: 'audio/mp4' }],
    ['an MP4', join(be(24), 'ftypisom'), { is: 'video', type: 'video/mp4' }],
    ['a PDF', ascii('%PDF-1.7'), { is: 'other', risky: false }],
    ['a text', ascii('hello'), { is: 'other', risky: false }],
    ['nothing', join(), { is: 'other', risky: false }],
    ['an SVG', ascii('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)">'), { is: 'other', risky: true }],
    ['an SVG with a declaration', ascii('\xef\xbb\xbf \n<?xml version="1.0"?><svg/>'), { is: 'other', risky: true }],
    ['a page', ascii('  <!DOCTYPE html><script>alert(1)</script>'), { is: 'other', risky: true }],
    ['a page in UTF-16', join([0xff, 0xfe], '<\0h\0t\0m\0l\0'), { is: 'other', risky: true }],
    ['a program of Windows', ascii('MZ\x90\0'), { is: 'other', risky: true }],
    ['a program of Linux', ascii('\x7fELF\x02'), { is: 'other', risky: true }],
    ['a script', ascii('#!/bin/sh'), { is: 'other', risky: true }],
    ['a new office file', ascii('PK\x03\x04'), { is: 'other', risky: true }],
    ['an old office file', ascii('\xd0\xcf\x11\xe0\xa1'), { is: 'other', risky: true }],
    ['a RIFF of another kind', join('RIFF', le(0, 4), 'ACON'), { is: 'other', risky: false }],
    ['a Matroska that is no WebM', join([0x1a, 0x45, 0xdf, 0xa3], 'matroska'), { is: 'other', risky: false }],
    ['a HEIC', join(be(24), 'ftypheic'), { is: 'other', risky: false }],
    ['almost a PNG', ascii('\x89PNG\n'), { is: 'other', risky: false }],
  ])('%s is told by its bytes', (_, bytes, kind) => {
    expect(kindOf(bytes)).toEqual(kind);
  });

  it('a polyglot is what its first bytes are, and drawn as that only', () => {
    expect(kindOf(join(gif(1, 1), '<script>alert(1)</script>'))).toEqual({ is: 'picture', type: 'image/gif' });
  });

  it('risky endings, whatever their case', () => {
    for (const e of ['exe', 'EXE', 'html', 'Svg', 'docx', 'js', 'lnk', 'zip']) expect(endsRisky(e), e).toBe(true);
    for (const e of ['', ' ', 'png', 'pdf', 'txt', 'e x', 'xe', 'exe msi'])
      expect(endsRisky(e.trim() || 'none'), e).toBe(e === 'exe msi');
  });
});

describe('how large it says that it is', () => {
  it.each<[PictureType, Uint8Array]>([
    ['image/png', png(640, 480)],
    ['image/jpeg', jpeg(640, 480)],
    ['image/gif', gif(640, 480)],
    ['image/webp', webp(640, 480)],
    ['image/webp', join('RIFF', le(0, 4), 'WEBPVP8 ', le(0, 4), [0, 0, 0, 0x9d, 1, 0x2a], le(640), le(480))],
    ['image/webp', join('RIFF', le(0, 4), 'WEBPVP8L', le(0, 4), [0x2f], le(639 + 479 * 2 ** 14, 4))],
  ])('%s', (type, bytes) => {
    expect(sizeIn(bytes, type)).toEqual({ w: 640, h: 480 });
    for (let n = 0; n < 20; n++) expect(sizeIn(bytes.subarray(0, n), type)).toBeNull();
  });

  it('of a JPEG behind its remarks, of a GIF with its first picture', () => {
    const exif = join([0xff, 0xe1, 0x40, 0], Array(0x4000 - 2).fill(1));
    expect(sizeIn(jpeg(3, 5, exif), 'image/jpeg')).toEqual({ w: 3, h: 5 });
    // a small frame first, and a large one behind it
    const small = join([0xff, 0xc0, 0, 11, 8], be(1, 2), be(1, 2), [1, 0, 0, 0]);
    expect(sizeIn(jpeg(60_000, 60_000, small), 'image/jpeg')).toEqual({ w: 60_000, h: 60_000 });
    expect(sizeIn(gif(1, 1, 65_000, 65_000), 'image/gif')).toEqual({ w: 65_000, h: 65_000 });
  });

  it('is refused above forty million pixels or a long side, before anything decodes it', async () => {
    for (const [w, h] of [
      [20_000, 20_000],
      [16_385, 1],
      [1, 16_385],
      [8_000, 5_001],
      [0, 5],
      [2 ** 31, 2 ** 31],
    ] as const)
      expect(fits({ w, h }), `${w} × ${h}`).toBe(false);
    for (const [w, h] of [
      [1, 1],
      [16_384, 2_000],
      [8_000, 5_000],
    ] as const)
      expect(fits({ w, h })).toBe(true);
    expect(await look(new Blob([png(20_000, 20_000) as Uint8Array<ArrayBuffer>]))).toEqual({
      is: 'other',
      risky: false,
    });
    expect(await look(new Blob([png(20, 20) as Uint8Array<ArrayBuffer>]))).toEqual({
      is: 'picture',
      type: 'image/png',
    });
    expect(await look(new Blob([join([0xff, 0xd8, 0xff, 0xe0]) as Uint8Array<ArrayBuffer>]))).toMatchObject({
      is: 'other',
    });
  });
});

describe('names', () => {
  it('are shown with what is hidden in them, the ending apart', () => {
    expect(shownName('photo\u202egpj.exe')).toEqual(['photo[U+202E]gpj', '.exe']);
    expect(shownName('a\u0000\u200b\u2066\ufeff\u{e0041}.png')).toEqual([
      'a[U+0000][U+200B][U+2066][U+FEFF][U+E0041]',
      '.png',
    ]);
    expect(shownName('截图 1.png')).toEqual(['截图 1', '.png']);
    expect(plainName('no ending at all')).toBe('no ending at all');
    expect(shownName('x.a\u202eb')[1]).toBe('.a[U+202E]b');
    expect(endingOf('archive.tar.gz')).toBe('gz');
    expect(endingOf('ends in.a sentence that goes on')).toBe('');
  });

  it.each([
    ['../../etc/passwd', '_.._etc_passwd'],
    ['C:\\Windows\\x.exe', 'C__Windows_x.exe'],
    ['.bashrc', 'bashrc'],
    ['con.txt', '_con.txt'],
    ['LPT1', '_LPT1'],
    ['com5.tar.gz', '_com5.tar.gz'],
    ['a.exe. . ', 'a.exe'],
    ['photo\u202egpj.exe', 'photogpj.exe'],
    ['a\nb\0.txt', 'ab.txt'],
    ['', 'file'],
    ['...', 'file'],
    ['"<x>|?*.png', '__x____.png'],
    [`${'长'.repeat(200)}.pdf`, `${'长'.repeat(100)}.pdf`],
    ['%2e%2e%2fx', '%2e%2e%2fx'],
    ['合同.pdf', '合同.pdf'],
  ])('%j is saved as %j', (name, saved) => {
    expect(savedName(name)).toBe(saved);
  });

  it('sizes and lengths', () => {
    expect([0, 999, 1_000, 1_536, 10_240, 1_048_576, 20 * 2 ** 20, 2 ** 31].map(sizeText)).toEqual([
      '0 B',
      '999 B',
      '1.0 KB',
      '1.5 KB',
      '10 KB',
      '1.0 MB',
      '20 MB',
      '2.0 GB',
    ]);
    expect([0, 5, 65, 600].map(secondsText)).toEqual(['0:00', '0:05', '1:05', '10:00']);
  });
});

it('a GIF loses its remarks and keeps its pictures, how long they stay, and that they return', async () => {
  const head = join('GIF89a', le(1), le(1), [0x80, 0, 0], Array(6).fill(7));
  const loop = join([0x21, 0xff, 11], 'NETSCAPE2.0', [3, 1, 0, 0, 0]);
  const stay = join([0x21, 0xf9, 4, 0, 9, 0, 0, 0]);
  const picture = join([0x2c], le(0), le(0), le(1), le(1), [0x80, 1, 1, 1, 2, 2, 2, 2, 2, 5, 5, 1, 6, 0]);
  const remark = join([0x21, 0xfe, 5], 'where', [2], 'at', [0]);
  const xmp = join([0x21, 0xff, 11], 'XMP DataXMP', [4], 'here', [0]);
  const whole = join(head, loop, remark, stay, picture, xmp, stay, picture, [0x3b], 'behind its end');
  const kept = await withoutRemarks(new Blob([whole as Uint8Array<ArrayBuffer>]));
  expect(new Uint8Array(await kept!.arrayBuffer())).toEqual(join(head, loop, stay, picture, stay, picture, [0x3b]));
  for (const n of [20, head.length + 5, whole.length - 20])
    expect(await withoutRemarks(new Blob([whole.slice(0, n) as Uint8Array<ArrayBuffer>]))).toBeNull();
});

it('the policy of the console lets exactly this player run, and nothing else that is written into a page', () => {
  const rust = readFileSync(new URL('../../../crates/server/src/http/answer.rs', import.meta.url), 'utf8');
  const policy = /PAGE_POLICY: &str = "([^"]*)"/.exec(rust)![1]!;
  const hash = createHash('sha256').update(PLAYER).digest('base64');
  expect(policy.match(/'sha256-[^']*'/g)).toEqual([`'sha256-${hash}'`]);
  expect(policy).not.toContain('unsafe-inline');
});

describe('what is about to be sent', () => {
  const file = (n: number, name = 'a.bin'): File => new File([new Uint8Array(n)], name);
  const nameOf = (f: File): string => f.name;
  const settled = async (tray: Tray): Promise<void> => {
    await vi.waitFor(() => expect(tray.items.value.every((one) => one.state !== 'preparing')).toBe(true));
  };

  it('is checked against what the site takes before anything is uploaded', async () => {
    const tray = new Tray();
    tray.add([file(5), file(11), file(0)], () => 10, nameOf);
    await settled(tray);
    expect(tray.items.value.map((one) => one.why ?? one.state)).toEqual(['ready', { over: 10 }, 'empty']);
    const off = new Tray();
    off.add([file(5)], () => Promise.resolve(0), nameOf);
    await settled(off);
    expect(off.items.value[0]!.why).toBe('off');
    expect(off.some).toBe(false);
    // a server that does not say decides itself
    const unknown = new Tray();
    unknown.add([file(5)], () => Promise.reject(new Error()), nameOf);
    await settled(unknown);
    expect(unknown.some).toBe(true);
  });

  it('takes so many and no more', async () => {
    const tray = new Tray();
    tray.add(
      Array.from({ length: MAX_PICKED + 3 }, () => file(1)),
      () => 10,
      nameOf,
    );
    expect(tray.items.value).toHaveLength(MAX_PICKED);
    expect(tray.tooMany.value).toBe(true);
    await settled(tray);
    tray.remove(tray.items.value[0]!.id);
    expect(tray.tooMany.value).toBe(false);
  });

  it('goes in its order once it is ready, and leaves when it is in the thread; what fails stays, with its reason', async () => {
    const tray = new Tray();
    const sent: string[] = [];
    let fail = true;
    const send = async (p: Picked, progress: (n: number) => void): Promise<void> => {
      if (p.name === 'b' && fail) throw new ClientError('error.file_space');
      progress(1);
      sent.push(p.name);
    };
    tray.add(
      ['a', 'b', 'c'].map((n) => file(1, n)),
      () => 10,
      nameOf,
    );
    tray.send(send);
    await vi.waitFor(() => expect(tray.items.value).toHaveLength(1));
    expect(sent).toEqual(['a', 'c']);
    expect(tray.items.value[0]).toMatchObject({ name: 'b', state: 'unfit', why: 'error.file_space' });
    fail = false;
    tray.send(send, tray.items.value[0]!.id);
    await vi.waitFor(() => expect(tray.items.value).toHaveLength(0));
    expect(sent).toEqual(['a', 'c', 'b']);
  });

  it('is given up while it is sealed', async () => {
    const tray = new Tray();
    let stopped = false;
    tray.add([file(1)], () => 10, nameOf);
    tray.send(
      (_, __, signal) =>
        new Promise((_done, no) => signal.addEventListener('abort', () => ((stopped = true), no(new Error())))),
    );
    await vi.waitFor(() => expect(tray.items.value[0]!.state).toBe('sealing'));
    tray.remove(tray.items.value[0]!.id);
    expect(stopped).toBe(true);
    expect(tray.items.value).toEqual([]);
  });
});
