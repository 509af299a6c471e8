/** Names of form fields. A site may have any; the usual ones are translated, the others shown by their id. */
import { lang } from './core';

const PHONE = ['电话', 'Phone'] as const;
const EMAIL = ['邮箱', 'E-mail'] as const;

export const FIELDS: Record<string, readonly [zh: string, en: string]> = {
  name: ['姓名', 'Name'],
  email: EMAIL,
  mail: EMAIL,
  phone: PHONE,
  tel: PHONE,
  mobile: PHONE,
  topic: ['咨询类型', 'Topic'],
  question: ['问题', 'Question'],
  company: ['公司', 'Company'],
  account: ['账号', 'Account'],
  order: ['订单号', 'Order number'],
};

export function fieldLabel(id: string): string {
  const known = Object.hasOwn(FIELDS, id) ? FIELDS[id] : undefined;
  return known ? known[lang.value === 'en' ? 1 : 0] : id;
}
