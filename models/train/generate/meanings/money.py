"""Prices, payment, invoices."""

BLOCK = """
@ price.item goods
: {item}(多少钱|什么价|怎么卖|价格多少|卖多少钱|几多钱)(|？|啊|呢)
: (这|那){cl}{item}(多少钱|什么价格|怎么卖)
: (请问|想问下|问一下|)(你们的|)({item}|这款{item})(现在|)(价格|价钱|报价)(是多少|多少|是)
> how much (is|are|for|does it cost for) (the|this|that) {item}(?|)
> (what's|what is|can you tell me) the price of (the|this) {item}(?|)
> price (of|for) the {item}(?|, please|)

@ price.this aligned
: (多少钱|什么价|怎么卖|价格多少|几多钱|啥价)(|？|啊|呢|一个|一份)
: (这个|这款|它)(多少钱|什么价格|卖多少|怎么收费)
: (怎么|如何|咋)(收费|算钱|计费)(的|)
: (有没有|有|发我一份|能给个)(价目表|报价单|价格表)(吗|)
> how much (is it|does it cost)(?|)
> (what's|what is) the price of this( one|)(?|)
> how (do you charge|is it charged|does the pricing work)(?|)
> (do you have|can you send me) (a|the|your) price list(?|)

@ price.cheaper goods
: (能|可以)(便宜|少|优惠)(点|一点|些)(吗|不|呗)
: (太贵|贵|有点贵)(了|)(，|)(便宜点|能少点吗|打个折吧|能便宜不)
: {item}最低多少钱(能卖|卖|)
> (can|could) you (make it|do it|give it) (cheaper|for less)(?|)
> (it's|that's) (too|a bit) expensive, (any|can you give me a|is there any) (discount|better price)(?|)
> what's (your|the) (best|lowest) price for the {item}(?|)

@ discount.any aligned
: (有|有没有|现在有)(什么|)(优惠|活动|折扣|打折|促销)(吗|没|么|)
: (优惠|活动)(什么时候|几号|哪天)[开始|结束]
: [新用户|学生|企业](有|)(什么|)(优惠|折扣)(吗|)
: {item}(有|)(打折|优惠|活动|折扣)(吗|没|么)
> (do you have|is there|are there) any (discounts|offers|promotions|deals)(?| right now?|)
> when (does|will) the (sale|promotion|offer) [start|end](?|)
> (is there|do you have) a [new customer|student|corporate] discount(?|)
> (is|are) (the|this) {item} on (sale|offer)(?|)

@ discount.coupon aligned
: (优惠券|券|红包|优惠码|折扣码)(怎么|咋|如何)(用|使用|领|领取)
: (优惠券|券|优惠码|红包)(用不了|不能用|无法使用|不生效|显示不可用)(怎么回事|为什么|啊|)
: (付款|下单)(时候|的时候|)(忘了|忘记)(用|使用)(优惠券|券|红包)(了|)(，能补吗|，怎么办|)
: (优惠券|券)(过期|到期)(了|)(能|可以)(延期|补|恢复)(吗|不)
> how (do|can) I use (my|a|the) (coupon|voucher|promo code|discount code)(?|)
> (my|the) (coupon|voucher|promo code|discount code) (doesn't work|isn't working|is not accepted|isn't valid)
> I forgot to (use|apply) my (coupon|voucher|code)(, can you add it|, what can I do|)
> my (coupon|voucher) (has expired|expired), can (you extend it|I still use it)(?|)

@ price_drop.refund goods aligned
: {ago}买的(，|)(现在|今天)(就|)(降价|便宜|打折)了(，|)(能退差价吗|能补差价吗|退我差价|可以保价吗|)
: (怎么|如何|在哪)(申请|)(价保|保价|退差价|价格保护)
: {item}(刚买完|买了没两天|刚到手)(就|)(降价|便宜)了(，|)(退|补)(我|)差价
> I bought it {ago} and (now it's|the price is now|today it's) (cheaper|lower)(, can I get the difference|, refund the difference|)
> how (do|can) I (apply for|get|ask for) (price protection|a price adjustment)(?|)
> the price of the {item} dropped (right after|just after) I bought it, can (you refund|I get) the difference(?|)

@ payment_method.which aligned
: (可以|能|支持)(用|)({pay})(付款|支付|付|)(吗|不|么)
: (可以|能|支持)[货到付款|分期付款|对公转账](吗|不|么)
: (有|支持)(哪些|什么|几种)(付款|支付)方式
: (怎么|如何)(付款|付钱|支付)(呢|啊|)
> (can|may) I pay (with|by|using) {pay}(?|)
> can I pay [on delivery|in instalments|by company transfer](?|)
> (which|what) payment (methods|options) do you (accept|have|offer)(?|)
> how (do|can) I pay(?|)

@ payment_failed.fail aligned
: (付款|支付|付钱)(失败|不成功|不了|付不了|出错)(了|)(，|)(怎么回事|怎么办|为什么|帮我看看|)
: (付不了款|付不了钱|支付不了|一直支付失败|点付款没反应)(|，怎么回事|，怎么办|啊)
: (用|)({pay})(付款|支付|付)(的时候|)(一直|老是|总是|)(失败|报错|提示错误|不成功)
: (扣|扣了|付)(钱|款)(了|)(但|可是|，|但是)(订单|系统)(显示|还是)(未支付|待付款|没付款)
> (my payment|the payment) (failed|won't go through|was declined|keeps failing|doesn't work)
> I (can't|cannot) (pay|complete the payment|check out)(, what's wrong|, it shows an error|)
> paying (with|by) {pay} (keeps failing|doesn't work|gives an error)
> (I was charged|the money is gone|money was taken) but (my|the) order (says|still says|shows) unpaid

@ wrong_charge.twice aligned
: (扣了|付了|被扣了|重复扣了|多扣了)(两次|两笔|两遍|我两次)(钱|款|)(，|)(怎么回事|退我一笔|多的退给我|)
: (为什么|怎么|凭什么)(多扣|乱扣|又扣|扣)(了|)我{amount}
: (我没买|什么都没买|没操作)(，|)(怎么|为什么|却)(扣|被扣)了(我|){amount}
: (账单|扣款|银行卡)(里|上|)(有|多了)一笔{amount}的(不明|)(扣款|扣费|消费)
> (I was|I've been|you) charged (me |)(twice|two times|double)(, please refund one|, what happened|)
> (why|how come) (did you|you|was I) (charge|charged|take)( me|) {amount}(?|)
> I (didn't|did not) buy anything (but|and) {amount} (was|has been) (taken|charged)
> (there is|I see|I found) (a strange|an unknown) (charge|payment) of {amount} on my (card|bill|statement)

@ invoice.get
: (怎么|如何|在哪|咋)(开|申请|要)(发票|电子发票|专票|增值税发票)(|啊|呢)
: (我要|我想|帮我|麻烦|能不能|可以)(开|补开|要)(一张|张|个|)(发票|电子发票|专票|增值税专用发票)(吗|)
: (能|可以|支持)(开|开具)(专票|发票|公司抬头的发票|电子发票)(吗|不)
: (发票)(呢|在哪|在哪下载|怎么还没开|怎么还没发|什么时候开|发哪里了)
: (开票|发票)(|，)(抬头|公司名)(写|开)(公司|个人|单位)(|的|，税号我发你)
> (can|could|how can|how do) I (get|have|request) (an invoice|a VAT invoice|an invoice for my company)(?|)
> I need (an invoice|a VAT invoice|a receipt|an electronic invoice)( for my order| for my company| please|)
> (where|when) (can I|will I|do I) (get|find|download|receive) (my|the) invoice(?|)
> (please|can you) (send|issue|email) (me |)(the|an) invoice( to my company|)(?|)

@ invoice.wrong aligned
: (发票|开票)[抬头|税号|金额](错|写错|开错|填错)了(，|)(能|怎么|可以|帮我)(改|重开|换)(吗|一下|)
: (发票|电子发票)(没收到|收不到|弄丢了|丢了)(，|)(能|可以|麻烦)(再发一次|重发|补开)(吗|)
> the [title|tax number|amount] on (my|the) invoice is wrong(, please reissue it|, can you fix it|)
> I (didn't get|lost|never received) (my|the) invoice(, please send it again|, can you resend it|)

@ membership.points aligned
: (积分|会员积分)(怎么|如何|咋)(用|兑换|花|抵钱|查)
: (积分|会员|我的积分)(什么时候|会不会|)(过期|到期|清零)(吗|)
: (怎么|如何)(成为|开通|办|加入)(会员|VIP|vip|会员卡)
: (会员|VIP|vip)(有|)(什么|哪些)(好处|权益|优惠|福利)
: (积分|会员等级)(怎么|为什么)(没到|没了|没加|少了|不对|降级了)
> how (do|can) I (use|redeem|spend|check) my points(?|)
> (do|will|when do) (my|the) points expire(?|)
> how (do|can) I (become|sign up as) a member(?|)
> what (are the benefits|benefits do I get|do I get) (of|with|as) (a|the) (membership|VIP membership|member card)(?|)
> (my points|some of my points) (are|have) (missing|gone|not been added)
"""
