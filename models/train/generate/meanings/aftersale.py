"""After the parcel has arrived: returns, exchanges, damage, repair."""

BLOCK = """
@ return.want goods -food
: (我要|我想|想|要|申请|麻烦)(退货|退回去|退掉)(|，怎么弄|，怎么操作|了)
: (我要|我想|想|要)(把|)({item}|这{cl}{item})(退了|退掉|退货|退回去)
: (怎么|如何|在哪|咋)(退货|申请退货|办退货)(|啊|呢|？)
: {item}(怎么|咋|如何)(退|退货|退掉)
: ({item}|这{cl}{item})(不喜欢|不合适|不想要了|跟想的不一样)(，|)(能退|可以退|想退|要退货)(吗|)
: (收到|打开|到手)(后|)(不喜欢|不满意|跟图片不一样)(，|)(能退|可以退货|想退货|我要退)(吗|)
: 退货(|！|吧|，谢谢)
> (I want to|I'd like to|I need to|can I) (return|send back) (it|this|my order)(?|)
> (I want to|I'd like to|I need to|can I) (return|send back) (the|my|this) {item}(?|)
> (how do|how can|where do) I (return|send back) (it|something|an item)(?|)
> how (do|can) I (return|send back) the {item}(?|)
> I don't (like|want|need) the {item}( anymore|), (can I|I want to|how do I) (return it|send it back)
> (it's|this is) not what I expected, (can I|I want to) (return it|send it back)

@ return.deadline goods -food aligned
: (几天|多久|多少天|多长时间)(内|之内|以内)(可以|能|支持)(退货|无理由退货|退)
: (买了|收到|签收)(都|)(已经|){days}了(，|)(还能退|还可以退|能退货)(吗|不|么)
: (过了|超过)(七天|7天|退货期)(还能|能|可以)(退|退货)(吗|不)
> (how long|how many days) do I have to (return|send back) (it|something|an item)(?|)
> I (got|received|bought) it {days} ago, can I still (return it|send it back)(?|)
> can I still (return it|send it back) after (7 days|the return period)(?|)
> (what's|what is) the (return period|deadline for returns|return window)(?|)

@ return.postage goods -food
: (退货|退回|寄回)(的|)(运费|邮费|快递费)(谁出|谁承担|是谁付|谁来付|要我出吗)
: (退货|寄回去)(要|用|需要)(自己|我)(出|付|掏)(运费|邮费)(吗|不)
> who pays (for |)(the |)return (shipping|postage)(?|)
> do I (have to|need to) pay (for |)(the |)return (shipping|postage)(?|)

@ return.used goods -food aligned
: [拆封了|剪了吊牌|试穿过|用过一次了](还|)(能|可以)(退|退货|无理由退)(吗|不)
: [包装盒|发票|吊牌](扔|丢|没|不在)了(还|)(能|可以)退(货|)(吗|不)
> can I (return it|send it back) (if|when) [it's been opened|I cut off the tag|I've tried it on|I've used it once](?|)
> can I (return it|send it back) without the [box|invoice|tag](?|)

@ return.address goods -food
: (退货|寄回|退回)(地址|寄到哪|寄到哪里|发到哪)(|是什么|是多少|发我一下|给我)
: (东西|货)(要|)(退|寄)(到|回)(哪里|哪|什么地址)
> (what's|what is) the (return address|address for returns)(?|)
> where (do|should) I send (it|the return|the item) back( to|)(?|)

@ exchange.want goods -food
: (我要|我想|想|能不能|可以|帮我)(换货|换一个|调换|换个新的)(吗|)
: (我要|我想|想|能不能)(给|把|)({item}|这{cl}{item})(换一{cl}|换个新的|换货|调换一下)
: (怎么|如何|在哪)(换货|申请换货|调换)
: {item}(怎么|如何)(换|换货|调换)
> (can I|I want to|I'd like to|how do I) (exchange|swap) (it|this)(| for another one| for a new one)(?|)
> (can I|I want to|I'd like to|how do I) (exchange|swap) the {item}(| for another one| for a new one)(?|)

@ exchange.size goods -food sized
: ({item}|买的{item})(太|有点|偏)(大|小|紧|长|短)(了|)(，|)(能|想|可以|帮我)(换|换个)(小一码|大一码|大一号|小一号|别的码)(的|)(吗|)
: (想|要|能|可以)(换|换成){size}(码|号)(的|)(吗|)
: (尺码|码数|号)(不合适|拿错|买错)了(，|)(想换|要换|能换|换一下)(吗|)
> the {item} (is|are) too (big|small|tight|long|short), can I (exchange it|swap it|change it) for another size(?|)
> (can I|I want to|I'd like to) (exchange|swap|change) (it|this) for (a|size) {size}(?|)
> the size (is wrong|doesn't fit), (can I|I want to) (exchange|swap) it

@ exchange.colour goods -food
: (想|要|能|可以|帮我)(换成|换个|换){colour}(的|)(吗|)(，这个颜色不喜欢|，颜色不好看|)
: 收到的(颜色|这个颜色)(不喜欢|不好看|不合适)(，|)(能|想|可以)换(个颜色|成{colour}|成{colour}的)(吗|)
> (can I|I want to|I'd like to) (exchange|swap) it for (a |the |){colour}( one|)(?|)
> I don't like the colour( I got|), can I (exchange|swap) it for {colour}(?|)

@ refund_request.want
: (我要|我想|申请|想要|给我|要求)(退款|退钱)(|！|，怎么弄|，怎么申请)
: (怎么|如何|在哪)(申请退款|退款|退钱)(|啊|呢)
: (把钱|钱)(退|还)(给我|我)(|！|吧|，不想要了)
: (申请|我要|我想申请)(仅退款|只退款不退货)(|，可以吗|，怎么操作)
: (这|)({amount}|{amount}的订单)(我要|想|申请)(退款|退钱)
> (I want|I'd like|I demand|can I get|can I have|please give me) (a refund|my money back)(?|)
> how (do|can) I (get|request|ask for|apply for) (a refund|my money back)(?|)
> (please refund|refund) (me|my money|my payment|this)( now| please|)
> (I want|I'd like|can I get|please) a refund of {amount}(?|)

@ refund_request.service service
: ({item}|买的{item}|这{cl}{item})(不想要了|用不上了|没用过)(，|)(能|可以|我要|想)(退款|退钱|退费)(吗|)
: {item}(能|可以|)(退费|退款|退钱)(吗|不)
> I don't (need|want) the {item} anymore, (can I get|I want) (a refund|my money back)(?|)
> (is the {item}|are the {item}) refundable(?|)

@ refund_progress.when
: (退款|退的钱|钱)(什么时候|多久|几天|啥时候|几时)(能|才能|可以|)(到账|到|退回来|退给我)
: (退款|退的钱)(怎么|)(还没|到现在没|一直没|还不)(到|到账|退回来|收到)(啊|呢|？|)
: (退款|退钱)(到哪|到哪里|退到哪|进度|什么情况|处理得怎么样)了(|？)
: (货|东西)(都|已经)(退回去|寄回去|签收)({days}|好几天)了(，|)(钱|退款)(呢|怎么还没退|还没到)
: (申请|同意)退款(都|)(已经|){days}了(还没|怎么还没|都没)(到账|收到钱)
: {amount}(的退款|退款)(什么时候|怎么还没|几天能)到(账|)
> when (will|do|can) I (get|receive|see) my (refund|money back)(?|)
> (my refund|the refund|my money) (still hasn't|hasn't) (arrived|come|been paid|shown up)( yet|)
> (what's|what is) the status of my refund(?|)
> I sent (it|the goods) back {days} ago, where('s| is) my (refund|money)(?|)
> you (approved|confirmed) my refund {days} ago (and|but) (I still have no money|it hasn't arrived|nothing came)
> (when|how soon) will the refund of {amount} (arrive|be paid)(?|)

@ refund_progress.where
: (退款|退的钱)(退到|回到|是退到)(哪|哪里|哪儿|什么地方|哪张卡)(了|)(|？)
: (退款|钱)(是|会)(原路返回|退到余额|退回银行卡)吗
> (where|to which card|to which account) (does|will|did) the refund go(?|)
> (is|will) the (refund|money) (paid back|be paid back|refunded) to my (card|bank account|wallet)(?|)

@ damaged_goods.broken goods aligned
: (收到|打开|到手|拆开)(的|发现|)({item}|这{cl}{item})(是坏的|坏了|破了|碎了|裂了|有划痕|有瑕疵)
: (收到|打开|拆开)(的时候|就|发现)(是坏的|坏了|破了|碎了|有划痕|烂了|漏了)
: (快递|包装|箱子)(压坏|摔坏|破损|烂|湿)了(，|)(里面的{item}|{item})(也|)(坏了|碎了|不能用了)
: {item}(有|)(质量问题|瑕疵|破损)(，|)(怎么处理|怎么办|你们怎么赔|给个说法)
: (质量问题|质量太差|一用就坏|用了一次就坏了)(，|)(怎么办|怎么处理|你们管不管)
> the {item} (arrived|came|turned up) (broken|damaged|cracked|scratched|defective)
> (it|my order|everything) (arrived|came) (broken|damaged|cracked|scratched|defective)
> the (box|package) was (crushed|damaged|wet) and the {item} (inside |)(is|are) broken
> the {item} (has|have) a (quality problem|defect), what (will you do|can you do about it)
> (it broke|it stopped working) (after one use|the first time I used it), what now

@ damaged_goods.food food
: (收到|到手)的{item}(坏了|烂了|不新鲜|有异味|发霉了|洒了|漏了)
: {item}(坏了|烂了|坏了一半|变质了|臭了|吃了拉肚子)(，|)(怎么赔|怎么处理|你们得赔)
> the {item} (arrived|came|was|were) (rotten|mouldy|spoiled|spilled|not fresh)
> half of the {item} (is|are|was) (rotten|bad|spoiled)(, I want compensation|, what now|)

@ wrong_item.wrong goods
: (你们|商家|仓库)(发错|寄错|给错)(货|东西|了)(|了)(|，我买的不是这个)
: (收到|到手)的(不是我买的|跟我订的不一样|和我买的不一样|不是我订的)(，|)(发错了吧|搞错了吧|怎么回事)
: 我(买|订|拍)的(是|){item}(，|)(怎么|结果|却)(给我|)(发|寄|来)了(别的|其他的|不一样的|个别的东西)
: (颜色|尺码|型号)(发错|寄错|不对)了
> (you|they) sent (me |)the wrong (item|thing|product|one)
> I ordered the {item} (but|and) (got|received|you sent) something else
> this (isn't|is not) what I ordered(|, you made a mistake|, wrong item)
> (I got|you sent) the wrong (colour|size|model)

@ wrong_item.missing goods aligned
: (少|漏)(发|寄)了[一件东西|配件|赠品](|，怎么办)
: (里面|包裹里|箱子里)(少了|没有|缺了){item}
: (买了{qty}|明明买了{qty})(，|)(只|就)(收到|来了)(一个|一件)
> [one item|a part|the gift] is missing (from|in) (my order|the box|the package)
> the {item} (was|is) missing (from|in) (my order|the box|the package|the bag)
> I ordered {qty} but (only got|received only|there was only) one

@ warranty.length goods -food -soft aligned
: {item}(保修|质保|保)(多久|几年|多长时间|期多长)
: {item}(有|带)(保修|质保)(吗|不|么)
: (保修|质保)(期|)(多久|几年|是多久|多长时间)
: (过保|过了保修期|保修期过)了(怎么办|还能修吗|要多少钱|还管吗)
: (保修|质保)(都|)(包括|管)(哪些|什么)(|问题)
> how long is the warranty (on|for) the {item}(?|)
> (does|do) the {item} (come with|have) a (warranty|guarantee)(?|)
> how long (is|does) the (warranty|guarantee)( last|)(?|)
> (what if|what happens if) (the warranty has expired|it's out of warranty)(?|)
> what does the (warranty|guarantee) cover(?|)

@ warranty.check goods -food tech aligned
: (怎么|在哪|如何)(查|查询)(保修|质保|在不在保|保修期)
: (我的|){item}(还|)(在不在保|在保吗|在保修期内吗|过保了吗)
: (保修卡|质保卡)(丢|没|不见|找不到)了(怎么办|还能保修吗|)
> how (do|can) I check (if it's|whether it's) (under|still under|in) warranty(?|)
> is my {item} (still |)(under|in) warranty(?|)
> I lost the warranty card(, what now|, can it still be repaired|)

@ repair.want tech goods aligned
: {item}(坏了|不能用了|出故障了|用不了了)(，|)(怎么|能|在哪|去哪|可以)(修|报修|维修|送修)(吗|)
: (我要|我想|申请|帮我|预约)(报修|维修|修|上门维修)(一下|)({item}|这{cl}{item})
: {item}[开不了机|充不进电|老死机|一直有怪声|漏水](，|)(怎么修|帮我修|能修吗|要送修吗)
: (怎么|如何|在哪)(报修|预约维修|申请维修|送修)
: (维修|修一下|上门修)(要|)(多少钱|多少费用|收费吗|怎么收费)
> my {item} (is broken|stopped working|doesn't work anymore), (how can I get it|can you get it|where can I get it) (repaired|fixed)(?|)
> (I want to|I need to|can I) (get|have) my {item} (repaired|fixed)(?|)
> my {item} [won't turn on|won't charge|keeps crashing|makes a strange noise|is leaking], (can you fix it|I need a repair)
> (how|where) (do|can) I (book|request|arrange) a repair(?|)
> how much does (a|the) repair cost(?|)

@ repair.progress tech goods
: (送修|拿去修|寄修)的{item}(修好|好|弄好)(了吗|了没|没有)
: {item}(要|得|还要)(修|维修)(多久|几天)(才好|才能拿|)
> is my {item} (repaired|fixed|ready)( yet|)(?|)
> how long (does|will) (the|a) repair of (the|my) {item} take(?|)
"""
