/** Names of the default intents (`models/intents/`), for agents who correct the robot. A company may have others: those show their id. */
import { lang } from '../i18n/core';

export const INTENTS: Record<string, readonly [zh: string, en: string]> = {
  account: ['账号', 'Account'],
  ask_person: ['转人工', 'Talk to a person'],
  authenticity: ['真假', 'Authenticity'],
  bot_question: ['是不是机器人', 'Is this a bot?'],
  business_cooperation: ['商务合作', 'Business cooperation'],
  cancel_order: ['取消订单', 'Cancel order'],
  change_address: ['修改地址', 'Change address'],
  change_order: ['修改订单', 'Change order'],
  complaint: ['投诉', 'Complaint'],
  confirm: ['确认', 'Yes'],
  contact: ['联系方式', 'Contact'],
  damaged_goods: ['商品破损', 'Damaged goods'],
  delivery: ['物流配送', 'Delivery'],
  deny: ['否定', 'No'],
  discount: ['优惠', 'Discount'],
  exchange: ['换货', 'Exchange'],
  goodbye: ['再见', 'Goodbye'],
  greeting: ['打招呼', 'Greeting'],
  how_to_use: ['使用方法', 'How to use'],
  invoice: ['发票', 'Invoice'],
  location: ['门店地址', 'Location'],
  membership: ['会员积分', 'Membership and points'],
  opening_hours: ['营业时间', 'Opening hours'],
  order_status: ['订单状态', 'Order status'],
  out_of_scope: ['无关内容', 'Out of scope'],
  password: ['密码', 'Password'],
  payment_failed: ['付款失败', 'Payment failed'],
  payment_method: ['付款方式', 'Payment method'],
  phone_change: ['换绑手机', 'Change phone number'],
  price: ['价格', 'Price'],
  price_drop: ['价保退差价', 'Price drop'],
  privacy: ['隐私与数据', 'Privacy and data'],
  product_info: ['商品咨询', 'Product information'],
  recommendation: ['推荐', 'Recommendation'],
  refund_progress: ['退款进度', 'Refund progress'],
  refund_request: ['申请退款', 'Refund request'],
  repair: ['维修', 'Repair'],
  return: ['退货', 'Return'],
  shipping_terms: ['运费与配送范围', 'Shipping terms'],
  size: ['尺码尺寸', 'Size'],
  stock: ['库存', 'Stock'],
  thanks: ['感谢', 'Thanks'],
  urge: ['催促', 'Hurry'],
  verification_code: ['验证码', 'Verification code'],
  warranty: ['保修', 'Warranty'],
  wrong_charge: ['扣款异常', 'Wrong charge'],
  wrong_item: ['错发漏发', 'Wrong or missing item'],
};

/** What people call an intent. */
export function intentName(id: string): string {
  const names = Object.hasOwn(INTENTS, id) ? INTENTS[id] : undefined;
  return names ? names[lang.value === 'en' ? 1 : 0] : id;
}

/** The id of what was typed or chosen; '' if nothing. */
export function intentId(typed: string): string {
  const t = typed.trim();
  return Object.entries(INTENTS).find(([, names]) => names.includes(t))?.[0] ?? t;
}
