/** Texts of how a conversation went. Fetched with the question. */
import { translator, type Texts } from './core';

const zh = {
  ask: '这次服务怎么样？',
  s1: '很不满意',
  s2: '不满意',
  s3: '一般',
  s4: '满意',
  s5: '非常满意',
  words: '想说的话（选填，加密后只有客服团队能看到）',
  send: '提交评价',
};

const en: typeof zh = {
  ask: 'How was it?',
  s1: 'Very bad',
  s2: 'Bad',
  s3: 'So-so',
  s4: 'Good',
  s5: 'Very good',
  words: 'In your words (optional, encrypted, only the team can read it)',
  send: 'Send',
};

export const rating: Texts<keyof typeof zh> = { zh, en };
export const t = translator(rating);
