// One page of all pictures that tests took (tests/artifacts/states): tests/artifacts/states/index.html. `make gallery` takes them first.
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '..', 'artifacts', 'states');
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.png'))
  .sort();
/** What a picture is of: its name without language, theme and size. */
const stateOf = (name) =>
  name.replace(/\.png$/, '').replace(/-(zh|en)(-CN|-GB)?|-(light|dark)|-(desk|phone|small|wall)|-\d+$/g, '');
const states = new Map();
for (const name of names) states.set(stateOf(name), [...(states.get(stateOf(name)) ?? []), name]);

const figure = (name) =>
  `<figure><a href="${name}"><img src="${name}" alt="" loading="lazy"></a><figcaption>${name.replace('.png', '')}</figcaption></figure>`;
const section = ([state, some]) => `<section id="${state}"><h2>${state}</h2>${some.map(figure).join('')}</section>`;
const style = `body{font:14px system-ui;margin:24px;background:#eee}h2{margin:32px 0 8px}section{display:flow-root}
figure{float:left;margin:0 12px 12px 0}img{height:360px;border:1px solid #bbb;background:#fff}figcaption{font-size:11px;color:#555}nav a{margin-right:10px}`;
const links = [...states.keys()].map((state) => `<a href="#${state}">${state}</a>`).join(' ');
writeFileSync(
  join(folder, 'index.html'),
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>kefu: pages and states</title><style>${style}</style>
<h1>${names.length} pictures of ${states.size} states</h1><nav>${links}</nav>${[...states].map(section).join('\n')}</html>`,
);
console.log(`${names.length} pictures of ${states.size} states: ${join(folder, 'index.html')}`);
