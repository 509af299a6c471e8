// How long a search of the console takes, in headless Chromium: `node tests/browser/search-bench.mjs [messages]` (100,000).
// The index is the real one, in a Worker, sealed in IndexedDB. The texts are made up, half Chinese and half English, with the words of
// customer service as often as Zipf's law has them; the same ones each time.
import { chromium } from 'playwright';
import { serveSearch } from '../../ui/build/search-bench.mjs';

const MESSAGES = Number(process.argv[2] ?? 100_000);
const PER_CONVERSATION = 30;
const ROUNDS = 5;
const ARGS = ['--no-sandbox', '--disable-gpu', '--enable-precise-memory-info'];

let seed = 1;
const random = () => ((seed = (Math.imul(seed, 48271) >>> 0) % 2147483647) & 0xffffff) / 0x1000000;
/** Small numbers are the frequent ones. */
const zipf = (n) => Math.min(n - 1, Math.floor(Math.exp(random() * Math.log(n + 1))) - 1);

const ZH =
  '您好 请问 订单 运费 退货 退款 发票 快递 什么时候 发货 地址 修改 尺码 优惠券 客服 谢谢 好的 可以 不能 怎么 为什么 已经 还没 收到 商品 质量 问题 换货 电话 姓名 支付 失败 账户 密码 登录 会员 积分 活动 时间 仓库 顺丰 圆通 处理 稍等 帮您 查询 一下 申请 审核 通过 三天 工作日 到账 银行卡 微信 支付宝 颜色 黑色 白色 型号 说明书 保修 维修 上门 安装 师傅 预约'.split(
    ' ',
  );
const EN =
  'hello order shipping return refund invoice courier when address change size coupon agent thanks okay please cannot how why already received product quality problem exchange phone name payment failed account password login member points campaign time warehouse process moment check apply review approved days business card paypal colour black white model manual warranty repair home install appointment'.split(
    ' ',
  );
/** Rare words, so that a vocabulary has a tail. */
const HAN = Array.from({ length: 3000 }, (_, i) => String.fromCharCode(0x4e00 + i * 5));

function sentence(zh) {
  const words = 3 + Math.floor(random() * 12);
  let out = '';
  for (let i = 0; i < words; i++) {
    if (random() < 0.08) out += zh ? HAN[zipf(HAN.length)] + HAN[zipf(HAN.length)] : ` w${zipf(30_000).toString(36)}`;
    else out += zh ? ZH[zipf(ZH.length)] : ` ${EN[zipf(EN.length)]}`;
    if (zh && random() < 0.15) out += '，';
  }
  if (random() < 0.05) out += ` SF${1_000_000_000 + Math.floor(random() * 9_000_000_000)}`;
  return out.trim();
}

function conversation(c, at) {
  const conv = c.toString(16).padStart(32, '0');
  const zh = c % 2 === 0;
  const docs = Array.from({ length: PER_CONVERSATION }, (_, i) => ({
    conv,
    seq: i + 4,
    at: at + i * 20_000,
    msg: (c * PER_CONVERSATION + i).toString(16).padStart(32, '0'),
    who: i % 2 ? { user: `a${c % 40}` } : 'visitor',
    note: false,
    text: i === 7 && c % 997 === 0 ? '我要投诉 a needle in the haystack SF4711471147' : sentence(zh),
  }));
  return { conv, docs };
}

const site = await serveSearch();
const browser = await chromium.launch({ executablePath: process.env.KEFU_CHROMIUM ?? '/usr/bin/chromium', args: ARGS });
const context = await browser.newContext();
let page = await context.newPage();
page.on('console', (m) => console.error('page:', m.text()));
await page.goto(site.url);
const call = (op, ...args) => page.evaluate(([o, a]) => window.search(o, ...a), [op, args]);
await call('open');
const conversations = Math.ceil(MESSAGES / PER_CONVERSATION);
const end = 1_790_000_000_000;
let spent = 0;
let characters = 0;
for (let c = 0; c < conversations; c += 50) {
  // as it is built: the newest conversation first
  const some = Array.from({ length: Math.min(50, conversations - c) }, (_, i) =>
    conversation(c + i, end - (c + i) * 600_000),
  );
  for (const { docs } of some) for (const d of docs) characters += d.text.length;
  const began = Date.now();
  await call('add', some);
  spent += Date.now() - began;
}
await call('commit');
console.log(
  `${conversations * PER_CONVERSATION} messages in ${conversations} conversations, ${(characters / 1e6).toFixed(1)} million characters; indexed and written in ${(spent / 1000).toFixed(1)} s`,
);

// as after a reload: nothing but the index in memory
await page.close();
page = await context.newPage();
await page.goto(site.url);
const opened = Date.now();
const size = await call('open');
console.log(
  `opened again in ${Date.now() - opened} ms: ${size} messages, ${(await call('bytes')) / 1e6} MB of index in memory`,
);

const QUERIES = [
  ['a frequent word, zh', '运费'],
  ['a frequent word, en', 'shipping'],
  ['two words, zh', '退货 发票'],
  ['two words, en', 'refund invoice'],
  ['one character', '退'],
  ['one letter', 'a'],
  ['a beginning', 'ship'],
  ['a phrase, zh', '"我要投诉"'],
  ['a phrase, en', '"needle in the haystack"'],
  ['part of a number', '47114711'],
  ['four words, both', '投诉 needle haystack sf47'],
  ['a phrase of frequent words that is nowhere', '"订单您好请问订单您好"'],
  ['candidates everywhere, a match nowhere', '"a o"'],
  ['nowhere', 'xyzzyx'],
];
let worst = 0;
for (const [what, typed] of QUERIES) {
  const all = [];
  let last;
  for (let i = 0; i < ROUNDS; i++) all.push((last = await call('search', typed, {})).ms);
  const [first, ...rest] = all;
  worst = Math.max(worst, ...all);
  console.log(
    `${what.padEnd(44)} ${typed.padEnd(28)} first ${first.toFixed(1).padStart(6)} ms, then ${Math.max(...rest)
      .toFixed(1)
      .padStart(6)} ms at most; ${last.hits}${last.more ? '+' : ''} found`,
  );
}
const filtered = await call('search', '运费', { who: 'a3', from: end - 864_000_000 });
console.log(`the same by one agent in ten days${' '.repeat(35)} ${filtered.ms.toFixed(1)} ms; ${filtered.hits} found`);
const one = conversation(0, end);
const began = Date.now();
await call('recall', one.conv, one.docs.slice(1));
console.log(`one message leaves the index in ${Date.now() - began} ms`);
console.log(`${(await call('bytes')) / 1e6} MB of index and texts in memory; slowest search ${worst.toFixed(1)} ms`);
await browser.close();
site.close();
process.exit(worst < 200 ? 0 : 1);
