/** What people wrote is nowhere on the server: a search of everything it keeps, and the proof that the search would find it. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canary, search, spellings } from '../support/canary';
import { expect, test } from '../support/test';
import { W } from '../support/visitor';

test.use({ form: 'name,phone,question', config: { KEFU_LOG__LEVEL: 'trace' } });

test('no text, answer, note, page address, password or invite code is found in any file or log', async ({ stage }) => {
  const words = {
    text: canary('text'),
    reply: canary('reply'),
    answer: canary('answer'),
    note: canary('note'),
    title: canary('title'),
    query: canary('query'),
    recalled: canary('recalled'),
    password: canary('password'),
    draft: canary('draft'),
  };
  stage.shop.title = words.title;
  const code = await stage.kefu.invite('li', '李娜', ['svc']);
  const agent = await stage.browserOfAgent();
  await agent.enrol(code, words.password);
  const visitor = await stage.visitor();
  await visitor.visit(`${stage.shop.origin}/order?id=${words.query}`);
  await visitor.panel.getByRole('textbox').last().fill(words.answer);
  await visitor.panel.getByRole('button', { name: W.start }).click();
  await visitor.send(words.text);
  await agent.items.first().click();
  await agent.sees(words.text);
  const about = agent.page.getByRole('complementary');
  for (const word of [words.answer, words.title, words.query])
    await expect(about.getByText(word).first()).toBeVisible();
  await agent.send(words.reply);
  await visitor.sees(words.reply);
  await agent.note(words.note);
  await agent.sees(words.note);
  await visitor.send(words.recalled);
  await agent.sees(words.recalled);
  await visitor.field.fill(words.draft);

  // As much of it as the disk ever gets: a login, a kill, a start, a stop.
  const second = await stage.browserOfAgent();
  await second.login('li', words.password);
  await stage.kefu.kill();
  await stage.kefu.serve();
  await stage.kefu.stop();

  const invite = { invite: code, inviteBare: code.replaceAll('-', '') };
  const found = search({ ...words, ...invite }, [stage.kefu.dir], [stage.kefu.log]);
  expect(found).toEqual([]);
  // The search looked at what it should.
  const names = readdirSync(stage.kefu.dir);
  for (const name of ['kefu.redb', 'kefu.toml']) expect(names).toContain(name);
  expect(readFileSync(stage.kefu.log, 'utf8')).toContain('kefu listens on');
});

test('the same search finds a word that stands in the clear, in each spelling', async ({ stage }) => {
  const word = canary('greeting');
  // A greeting is no secret, so it is legitimately plain.
  await stage.kefu.cli('site', 'change', 'web', '--greeting', word);
  await stage.kefu.stop();
  const found = search({ greeting: word }, [stage.kefu.dir], [stage.kefu.log]);
  expect(found.filter((line) => line.includes('kefu.redb: greeting in utf-8'))).toHaveLength(1);

  const copy = mkdtempSync(join(tmpdir(), 'kefu-control-'));
  try {
    cpSync(stage.kefu.dir, copy, { recursive: true, filter: (path) => !path.endsWith('.sock') });
    const database = readFileSync(join(copy, 'kefu.redb'));
    const other = canary('control');
    expect(search({ other }, [copy])).toEqual([]);
    const names = [
      'utf-8',
      'utf-16le',
      'utf-16be',
      'hex',
      'HEX',
      ...['base64', 'base64url'].flatMap((e) => [0, 1, 2].map((i) => `${e}+${i}`)),
    ];
    expect(spellings(other).map(([name]) => name)).toEqual(names);
    for (const name of names) {
      // Made by other means than the search: the whole of a longer text is encoded, so that alignments are real.
      const at = Number(name.split('+')[1] ?? 0);
      const whole = `${'x'.repeat(3 + at)}${other} and more`;
      const encoded =
        name === 'utf-16be'
          ? Buffer.from(whole, 'utf16le').swap16()
          : name === 'HEX'
            ? Buffer.from(Buffer.from(whole).toString('hex').toUpperCase())
            : name === 'utf-8' || name === 'utf-16le'
              ? Buffer.from(whole, name.replace('-', '') as 'utf8')
              : Buffer.from(Buffer.from(whole).toString(name.split('+')[0] as BufferEncoding));
      const middle = Math.floor(database.length / 2);
      writeFileSync(
        join(copy, 'kefu.redb'),
        Buffer.concat([database.subarray(0, middle), encoded, database.subarray(middle)]),
      );
      expect(search({ other }, [copy]), name).toContain(`${join(copy, 'kefu.redb')}: other in ${name}`);
    }
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
});
